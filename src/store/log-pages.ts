import type { LoggedEvent, Reference } from "../core/envelope.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Db } from "./database.ts"
import { storedEvent, type EventRow } from "./events.ts"
import { eventOf } from "./logged-events.ts"

/** Positions that are gone, both ends included: retention has dropped their events. */
export interface Hole {
  from: number
  to: number
}

/** A stretch of the log in position order, holes told. */
export interface LogPage {
  /** Last position given out, as of the same snapshot. */
  head: number
  items: (LoggedEvent | Hole)[]
  /** The page says everything about positions up to here. */
  upTo: number
}

const pageRows = 500

/** A row of the log with its event. */
export interface LoggedRow extends EventRow {
  position: number
  order_key: string | null
  event_references: Reference[] | null
}

interface PageRow extends Nullable<LoggedRow> {
  head: number
  found: number | null
}

/** The references of an event, in SQL, as one value in their order; `id` is an expression. */
export function referencesOf(id: string): string {
  return `(select jsonb_agg(jsonb_build_object('entity', r.entity, 'relation', r.relation, 'evidence', r.evidence)
      || case when r.subject is null then '{}' else jsonb_build_object('subject', r.subject) end
      order by r.ordinal)
    from event_references r where r.event_id = ${id})`
}

/** The event of a row. */
export function loggedEvent(row: LoggedRow): LoggedEvent {
  const { position, order_key: orderKey, event_references: references } = row
  const event = { ...storedEvent(row), position, references: references ?? [] }
  return orderKey === null ? event : { ...event, orderKey }
}

/**
 * Reads what follows a position, every tenant's: 500 events at most, and no further event once
 * `maxBytes` of bodies are read. Positions have no holes of their own, so one that is missing was
 * dropped. One statement, so that rows and head are of one snapshot; prepared under a name, because
 * planning over all partitions takes longer than reading a few rows.
 */
export async function readLogPage(db: Db, after: number, maxBytes: number): Promise<LogPage> {
  const { rows } = await db.query<PageRow>({
    name: "read_log_page",
    text: `
      select h.position as head, p.*
      from event_log_head h
      left join lateral (
        select l.position, l.order_key, l.found, event.*, ${referencesOf("l.event_id")} as event_references
        from (
          select position, event_id, order_key, count(*) over () as found,
            sum(bytes) over (order by position) - bytes as bytes_before
          from (
            select position, event_id, order_key, bytes from event_log where position > $1 order by position limit ${pageRows}
          ) next
        ) l
        left join ${eventOf("l.event_id")} on true
        where l.bytes_before < $2 -- by the log's own figure, so that nothing is read in vain
      ) p on true
      order by p.position`,
    values: [after, maxBytes],
  })
  const head = rows[0]?.head ?? 0
  const found = rows[0]?.found ?? 0
  const read = rows.flatMap(({ position }) => (position === null ? [] : [position]))
  const exhausted = read.length === found && found < pageRows
  const upTo = exhausted ? Math.max(head, after) : (read.at(-1) ?? after)
  return { head, items: withHoles(rows.flatMap(toEvent), after, upTo), upTo }
}

type Nullable<Row> = { [Column in keyof Row]: Row[Column] | null }

// The join with the head row yields nulls alone where nothing follows, and a log row outlives its
// event for a moment while retention drops partition after partition.
function toEvent(row: PageRow): LoggedEvent[] {
  return isWhole(row) ? [loggedEvent(row)] : []
}

function isWhole(row: Nullable<LoggedRow>): row is LoggedRow {
  return row.id !== null && row.position !== null
}

/** Fills the places between `after` and `upTo` that no event stands for with holes. */
function withHoles(events: readonly LoggedEvent[], after: number, upTo: number): LogPage["items"] {
  const items: LogPage["items"] = []
  let last = after
  for (const event of events) {
    if (event.position > last + 1) items.push({ from: last + 1, to: event.position - 1 })
    items.push(event)
    last = event.position
  }
  if (upTo > last) items.push({ from: last + 1, to: upTo })
  return items
}

/** First and last position of the log; `first` is past `head` where nothing is left. */
export async function logBounds(db: Db): Promise<{ first: number; head: number }> {
  const { rows } = await db.query<{ first: number; head: number }>(
    `select position as head,
       coalesce((select min(position) from event_log), position + 1) as first
     from event_log_head`,
  )
  return rows[0] ?? { first: 1, head: 0 }
}

/** Last position given out. */
export async function logHead(db: Db): Promise<number> {
  const { rows } = await db.query<{ position: number }>("select position from event_log_head")
  return rows[0]?.position ?? 0
}

/**
 * Throws `bad_request` for a position that the log has not come to: whoever began there would get nothing, and not
 * know. `what` names it for people, and `mend` says what to do instead.
 */
export async function mustBeReached(db: Db, what: string, position: number, mend: string): Promise<void> {
  const head = await logHead(db)
  if (position > head) throw notReached(what, position, head, mend)
}

/** What is said of a position beyond `head`. */
export function notReached(what: string, position: number, head: number, mend: string): SignalboxError {
  return new SignalboxError(
    "bad_request",
    `${what}: position ${position} is beyond the end of the log, which is at ${head}: ${mend}`,
  )
}

/** The last position that was given out more than so long ago; the one before the first that is left where none was. */
export async function logPositionBefore(db: Db, seconds: number): Promise<number> {
  const { rows } = await db.query<{ position: number }>({
    name: "log_position_before",
    // A search by halves along the index of positions: that order is the order of time.
    text: `
      with recursive search (low, high) as (
        select coalesce((select min(position) from event_log), position + 1) - 1, position from event_log_head
        union all
        select case when next.is_old then next.position else low end,
          case when next.is_old then high else middle - 1 end
        from search, lateral (select (low + high + 1) / 2 as middle) m, lateral (
          select max(position) as position, coalesce(bool_or(appended_at < now() - make_interval(secs => $1)), false) as is_old
          from (select position, appended_at from event_log where position >= middle order by position limit 1) l
        ) next
        where low < high
      )
      select min(low) as position from search where low >= high`,
    values: [seconds],
  })
  return rows[0]?.position ?? 0
}
