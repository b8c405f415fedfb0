import type { LoggedEvent } from "../core/envelope.ts"
import type { Db } from "./database.ts"
import { loggedEvent, referencesOf, type Hole, type LoggedRow } from "./log-pages.ts"
import { eventOf } from "./logged-events.ts"

/** What the log tells of an event without its row. */
export type LogHead = Pick<LoggedEvent, "tenant" | "platform" | "source" | "type" | "name" | "priority">

/** What somebody wants of a stretch of the log, in position order. */
export interface WantedStretch {
  items: (LoggedEvent | Hole)[]
  /** It says everything that is wanted up to here. */
  upTo: number
}

const scanRows = 1_000
const maxEvents = 256

interface HeadCount extends LogHead {
  count: number
  last: number
}

/**
 * Reads what somebody wants of the 1,000 log rows that follow a position: 256 events at most, and none further
 * once `maxBytes` of bodies are read. `wants` is asked once about events of one head, and what it does not want
 * costs no body. Undefined where the whole log is to be read: where nothing follows or all is wanted, and where
 * positions are missing or the log changed meanwhile, so that nothing is passed over unsaid.
 */
export async function readWantedLog(
  db: Db,
  after: number,
  wants: (head: LogHead) => boolean,
  maxBytes: number,
): Promise<WantedStretch | undefined> {
  const heads = await headsBehind(db, after)
  const upTo = Math.max(after, ...heads.map(({ last }) => last))
  if (upTo === after || countOf(heads) < upTo - after) return undefined
  const wanted = heads.filter(wants)
  if (wanted.length === heads.length) return undefined
  if (wanted.length === 0) return { items: [], upTo }
  const rows = await rowsOf(db, { after, upTo, wanted, maxBytes })
  const found = rows[0]?.found ?? 0
  // Between the two statements retention may drop rows, and what is processed anew may change its head.
  if (found !== countOf(wanted)) return undefined
  const items = rows.map((row) => (row.isGone ? { from: row.position, to: row.position } : loggedEvent(row)))
  return { items, upTo: rows.length === found ? upTo : (rows.at(-1)?.position ?? after) }
}

function countOf(heads: readonly HeadCount[]): number {
  return heads.reduce((sum, { count }) => sum + count, 0)
}

async function headsBehind(db: Db, after: number): Promise<HeadCount[]> {
  const { rows } = await db.query<HeadCount>({
    name: "heads_behind",
    text: `select tenant, platform, source, type, name, priority, count(*) as count, max(position) as last
      from (select * from event_log where position > $1 order by position limit ${scanRows}) next
      group by 1, 2, 3, 4, 5, 6`,
    values: [after],
  })
  return rows
}

interface WantedRow extends LoggedRow {
  /** Wanted rows of the stretch, those beyond the limits too. */
  found: number
  isGone: boolean
}

async function rowsOf(
  db: Db,
  { after, upTo, wanted, maxBytes }: { after: number; upTo: number; wanted: LogHead[]; maxBytes: number },
): Promise<WantedRow[]> {
  const { rows } = await db.query<WantedRow>({
    name: "read_wanted_log",
    text: `
      with wanted as materialized (
        select position, event_id, order_key, found, sum(bytes) over (order by position) - bytes as bytes_before
        from (
          select l.position, l.event_id, l.order_key, l.bytes, count(*) over () as found
          from (select * from event_log where position > $1 and position <= $2 order by position) l
          join unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
            as w (tenant, platform, source, type, name, priority)
            using (tenant, platform, source, type, name, priority)
          order by l.position limit ${maxEvents}
        ) next
      )
      select w.position, w.order_key, w.found, event.*, event.id is null as "isGone",
        ${referencesOf("w.event_id")} as event_references
      from wanted w
      left join ${eventOf("w.event_id")} on true
      where w.bytes_before < $3
      order by w.position`,
    values: [
      after,
      upTo,
      maxBytes,
      wanted.map(({ tenant }) => tenant),
      wanted.map(({ platform }) => platform),
      wanted.map(({ source }) => source),
      wanted.map(({ type }) => type),
      wanted.map(({ name }) => name),
      wanted.map(({ priority }) => priority),
    ],
  })
  return rows
}
