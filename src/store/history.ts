import type { LoggedEvent } from "../core/envelope.ts"
import { compileFilter, type Filter } from "../core/filter.ts"
import { compilePatterns } from "../core/pattern.ts"
import { isUuid } from "../core/uuid.ts"
import { chunksOf, maxPageBytes } from "./body-chunks.ts"
import type { Db } from "./database.ts"
import { findLoggedEvents } from "./logged-events.ts"

/** Which logged events of a tenant to list. */
export interface HistoryQuery {
  tenant: string
  filter: Filter
  /** Bounds of the time of receipt, the second one excluded. */
  since?: Date
  until?: Date
  order: "newest" | "oldest"
  /** Position of the last event seen; the page begins beyond it. */
  after?: number
  limit: number
}

/** A page of the past. It may be short, or empty, with more to come. */
export interface HistoryPage {
  events: LoggedEvent[]
  /** `after` of the next page; null at the end. */
  next: number | null
}

const scanRows = 500
const maxScans = 8

interface Place {
  eventId: string
  position: number
  bytes: number
}

/**
 * Lists logged events by a filter. Its columns are asked of the database, its `where` of the events
 * themselves; a page ends early after 4,000 events read in vain, or with 16 MiB of bodies.
 */
export async function readHistory(db: Db, query: HistoryQuery): Promise<HistoryPage> {
  const matches = compileFilter(query.filter)
  const types = await wantedTypes(db, query.tenant, query.filter.types)
  const events: LoggedEvent[] = []
  let { after } = query
  let bytes = 0
  for (let scan = 0; scan < maxScans; scan++) {
    const wanted = query.filter.where === undefined ? query.limit - events.length + 1 : scanRows
    const places = await findPlaces(
      db,
      { ...query, ...(after === undefined ? {} : { after }) },
      types,
      wanted,
    )
    for (const chunk of chunksOf(places)) {
      for (const event of await findLoggedEvents(db, chunk, { payload: true })) {
        if (!matches(event)) continue
        events.push(event)
        bytes += event.raw.length
        if (events.length < query.limit && bytes < maxPageBytes) continue
        const isEnd = event.position === places.at(-1)?.position && places.length < wanted
        return { events, next: isEnd ? null : event.position }
      }
    }
    const last = places.at(-1)
    if (last === undefined || places.length < wanted) return { events, next: null }
    after = last.position
  }
  return { events, next: after ?? null }
}

/**
 * One event of a tenant with its position, null where it is not in the log (yet); undefined where there
 * is none. The tenant is asked for here as well as by row-level security.
 */
export async function findEventInHistory(
  db: Db,
  tenant: string,
  id: string,
): Promise<(Omit<LoggedEvent, "position"> & { position: number | null }) | undefined> {
  if (!isUuid(id)) return undefined
  const { rows } = await db.query<{ position: number }>(
    "select position from event_log where event_id = $1 and tenant = $2",
    [id, tenant],
  )
  const [logged] = await findLoggedEvents(db, [{ eventId: id, position: rows[0]?.position ?? 0 }], {
    payload: true,
  })
  return logged?.tenant !== tenant ? undefined : { ...logged, position: rows[0]?.position ?? null }
}

async function findPlaces(
  db: Db,
  query: HistoryQuery,
  types: readonly string[] | undefined,
  limit: number,
): Promise<Place[]> {
  const { filter } = query
  const values: unknown[] = []
  const conditions: string[] = []
  const where = (condition: (parameter: string) => string, value: unknown): void => {
    if (value === undefined) return
    values.push(value)
    conditions.push(condition(`$${values.length}`))
  }
  where((p) => `l.tenant = ${p}`, query.tenant)
  where((p) => `l.platform = any(${p}::text[])`, filter.platforms)
  where((p) => `l.source = any(${p}::text[])`, filter.sources)
  where((p) => `l.priority = any(${p}::text[])`, filter.priority)
  where((p) => `l.type = any(${p}::text[])`, types)
  where(
    (p) => `(l.actor_id = any(${p}::text[]) or exists (
      select from events e where e.id = l.event_id and e.actor_name = any(${p}::text[])))`,
    filter.actors,
  )
  where(
    (p) => `l.event_id in (
      select event_id from event_log where tenant = $1 and entity = any(${p}::text[])
      union all select event_id from event_references where tenant = $1 and entity = any(${p}::text[]))`,
    filter.entities,
  )
  where((p) => `l.event_id >= uuidv7_lower_bound(${p}::timestamptz)`, query.since?.toISOString())
  where((p) => `l.event_id < uuidv7_lower_bound(${p}::timestamptz)`, query.until?.toISOString())
  where((p) => `l.position ${query.order === "newest" ? "<" : ">"} ${p}::bigint`, query.after)
  const { rows } = await db.query<Place>(
    `select l.event_id as "eventId", l.position, l.bytes
     from event_log l where ${conditions.join(" and ")}
     order by l.position ${query.order === "newest" ? "desc" : "asc"} limit ${limit}`,
    values,
  )
  return rows
}

/**
 * The types that patterns stand for, out of those the tenant has; undefined where any will do. Named
 * one by one, the planner knows how common they are and which index to take.
 */
async function wantedTypes(
  db: Db,
  tenant: string,
  patterns: readonly string[] | undefined,
): Promise<readonly string[] | undefined> {
  if (patterns === undefined || patterns.every((pattern) => !pattern.includes("*"))) return patterns
  const matches = compilePatterns(patterns)
  // walks the index from one type to the next
  const { rows } = await db.query<{ type: string }>(
    `with recursive found as (
       select min(type) as type from event_log where tenant = $1
       union all
       select (select min(l.type) from event_log l where l.tenant = $1 and l.type > f.type)
       from found f where f.type is not null
     )
     select type from found where type is not null`,
    [tenant],
  )
  return rows.map(({ type }) => type).filter(matches)
}
