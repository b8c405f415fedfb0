import type { LoggedEvent } from "../core/envelope.ts"
import { compileFilter, type Filter } from "../core/filter.ts"
import { isUuid } from "../core/uuid.ts"
import { chunksOf, maxPageBytes } from "./body-chunks.ts"
import type { Db } from "./database.ts"
import { createConditions, wantedTypes } from "./filter-conditions.ts"
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
  /** The last position that may be listed. */
  upTo?: number
  /** Passes over so many that match (0). */
  offset?: number
  limit: number
}

/** A page of the past. It may be short, or empty, with more to come. */
export interface HistoryPage {
  events: LoggedEvent[]
  /** `after` of the next page; null at the end. */
  next: number | null
  /** `offset` of the next page: what this one had no time to pass over. */
  offset: number
  /** Positions in the page whose events retention has dropped, while their places are there still. */
  gone: number[]
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
  const gone: number[] = []
  let { after, offset = 0 } = query
  let bytes = 0
  for (let scan = 0; scan < maxScans; scan++) {
    const wanted = query.filter.where === undefined ? query.limit - events.length + 1 : scanRows
    const part = { ...query, ...(after === undefined ? {} : { after }) }
    const skipped = query.filter.where === undefined ? offset : 0 // of a `where` the database knows nothing
    const places = await findPlaces(db, part, types, { limit: wanted, offset: skipped })
    offset -= skipped
    for (const chunk of chunksOf(places)) {
      const found = await findLoggedEvents(db, chunk, { payload: true })
      gone.push(...positionsWithout(chunk, found))
      for (const event of found) {
        if (!matches(event)) continue
        if (offset > 0) {
          offset--
          continue
        }
        events.push(event)
        bytes += event.raw.length
        if (events.length < query.limit && bytes < maxPageBytes) continue
        const isEnd = event.position === places.at(-1)?.position && places.length < wanted
        return { events, gone, offset, next: isEnd ? null : event.position }
      }
    }
    const last = places.at(-1)
    if (last === undefined || places.length < wanted) return { events, gone, offset, next: null }
    after = last.position
  }
  return { events, gone, offset, next: after ?? null }
}

function positionsWithout(places: readonly Place[], events: readonly LoggedEvent[]): number[] {
  if (events.length === places.length) return []
  const found = new Set(events.map(({ id }) => id))
  return places.filter(({ eventId }) => !found.has(eventId)).map(({ position }) => position)
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
  { limit, offset }: { limit: number; offset: number },
): Promise<Place[]> {
  const conditions = createConditions(query.tenant)
  conditions.addFilter(query.filter, types)
  conditions.add((p) => `l.event_id >= uuidv7_lower_bound(${p}::timestamptz)`, query.since?.toISOString())
  conditions.add((p) => `l.event_id < uuidv7_lower_bound(${p}::timestamptz)`, query.until?.toISOString())
  conditions.add((p) => `l.position ${query.order === "newest" ? "<" : ">"} ${p}::bigint`, query.after)
  conditions.add((p) => `l.position <= ${p}::bigint`, query.upTo)
  const { rows } = await db.query<Place>(
    `select l.event_id as "eventId", l.position, l.bytes
     from event_log l where ${conditions.text()}
     order by l.position ${query.order === "newest" ? "desc" : "asc"} limit ${limit} offset ${offset}`,
    conditions.values,
  )
  return rows
}
