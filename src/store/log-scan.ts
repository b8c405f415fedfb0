import type { LoggedEvent } from "../core/envelope.ts"
import type { EventHeadFields } from "../core/filter.ts"
import type { Db } from "./database.ts"
import type { Hole } from "./log-pages.ts"
import { findLoggedEvents, orderKeyOf } from "./logged-events.ts"

/** What the log tells of an event without reading it. */
export interface ScannedEvent extends EventHeadFields {
  position: number
  id: string
  /** Size of its body. */
  bytes: number
}

/** A stretch of the log as one tenant sees it; other tenants' positions are passed over. */
export interface LogScan {
  items: (ScannedEvent | Hole)[]
  /** The scan says everything about positions up to here. */
  upTo: number
}

const scanRows = 1000

interface ScanRow {
  head: number
  found: number
  last: number | null
  position: number | null
  previous: number | null
  id: string | null
  platform: ScannedEvent["platform"]
  source: string
  type: string
  priority: ScannedEvent["priority"]
  bytes: number | null
}

/**
 * Looks at the 1,000 log rows that follow a position and tells a tenant's among them. Needs sight of
 * all rows: only so does a position that retention dropped differ from one of another tenant.
 */
export async function scanLog(db: Db, tenant: string, after: number): Promise<LogScan> {
  const { rows } = await db.query<ScanRow>(
    `with page as materialized (
       select position, event_id, tenant, platform, source, type, priority,
         lag(position, 1, $2::bigint) over (order by position) as previous
       from (select * from event_log where position > $2 order by position limit ${scanRows}) l
     )
     select h.position as head, t.found, t.last, p.*
     from event_log_head h
     cross join (select count(*) as found, max(position) as last from page) t
     left join lateral (
       select position, previous, platform, source, type, priority,
         case when tenant = $1 then event_id end as id,
         case when tenant = $1 then
           (select octet_length(raw) from events where events.id = page.event_id) end as bytes
       from page
       where tenant = $1 or previous <> position - 1
     ) p on true
     order by p.position`,
    [tenant, after],
  )
  const items: LogScan["items"] = []
  for (const { position, previous, id, bytes, platform, source, type, priority } of rows) {
    if (position === null || previous === null) continue
    if (previous < position - 1) items.push({ from: previous + 1, to: position - 1 })
    if (id === null) continue
    if (bytes === null) items.push({ from: position, to: position })
    else items.push({ position, id, bytes, platform, source, type, priority })
  }
  const { head = 0, found = 0, last = null } = rows[0] ?? {}
  const end = last ?? after
  if (found === scanRows || head <= end) return { items, upTo: end }
  return { items: [...items, { from: end + 1, to: head }], upTo: head }
}

/** Logged events by id, in position order; those that are gone, or not in sight, are left out. */
export async function readLoggedEvents(db: Db, ids: readonly string[]): Promise<LoggedEvent[]> {
  const { rows } = await db.query<{ eventId: string; position: number; orderKey: string }>(
    `select event_id as "eventId", position, ${orderKeyOf("l")} as "orderKey"
     from event_log l where event_id = any($1::uuid[]) order by position`,
    [ids],
  )
  return findLoggedEvents(db, rows, { payload: true })
}
