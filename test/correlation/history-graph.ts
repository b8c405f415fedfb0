import { createHash } from "node:crypto"
import { readAs, type Database } from "../../src/store/database.ts"
import type { NewEvent } from "../../src/store/events.ts"
import { timeline } from "../../src/store/timeline.ts"
import { parsePayload } from "../../src/core/payload.ts"
import { platformByName } from "../../src/platforms/index.ts"
import { newEvent } from "../processing/support.ts"
import { historyStart, type Arrival } from "./generated-history.ts"

/**
 * The events that ingest would make of these webhooks, in a tenant of their own: each delivery once. The
 * ids sort as the arrivals do and differ from those of another tenant in their last digits alone.
 */
export function eventsOf(arrivals: readonly Arrival[], tenant: string): NewEvent[] {
  const taken = new Set<string>()
  const events: NewEvent[] = []
  const tail = createHash("sha256").update(tenant).digest("hex").slice(0, 12)
  const time = historyStart.getTime().toString(16).padStart(12, "0")
  for (const { request, receivedAt } of arrivals) {
    const platform = platformByName(request.platform)
    if (platform === undefined) throw new Error(`no platform ${request.platform}`)
    const raw = Buffer.from(request.body)
    const contentType = request.headers["content-type"] ?? ""
    const payload = parsePayload(raw, contentType)
    const { key, name, type } = platform.identify(
      { headers: request.headers, contentType, payload, receivedAt },
      raw,
    )
    if (taken.has(`${request.platform} ${key}`)) continue
    taken.add(`${request.platform} ${key}`)
    const ordinal = events.length.toString(16).padStart(3, "0")
    const id = `${time.slice(0, 8)}-${time.slice(8)}-7${ordinal}-8000-${tail}`
    events.push(
      newEvent(payload, {
        id,
        tenant,
        platform: request.platform,
        name,
        type,
        deliveryId: key,
        receivedAt,
        headers: request.headers,
        contentType,
        raw,
      }),
    )
  }
  return events
}

/** All that is derived of events, with their places among themselves for their ids. */
export async function graphOf(database: Database, events: readonly NewEvent[]): Promise<Graph> {
  const tenant = events[0]?.tenant ?? ""
  const places = new Map(events.map(({ id }, index) => [id, index]))
  const read = async (text: string): Promise<string[]> => {
    const { rows } = await database.work.query<{ event_id: string; row: object }>(text, [tenant])
    return rows.map(({ event_id, row }) => JSON.stringify({ event: places.get(event_id), ...row })).toSorted()
  }
  const bare = "to_jsonb(t) - 'tenant' - 'event_id' as row"
  const { rows: entities } = await database.work.query<{ entity: string; fields: unknown }>(
    `select entity, jsonb_object_agg(field, value order by field) as fields from (
       select distinct on (entity, field) entity, field, value
       from entity_states, jsonb_each(fields || jsonb_build_object('deleted', deleted)) as f (field, value)
       where tenant = $1 order by entity, field, at desc, tie desc
     ) latest group by entity order by entity`,
    [tenant],
  )
  const { rows: known } = await database.work.query<{ entity: string }>(
    "select distinct entity from event_log where tenant = $1 and entity is not null order by entity",
    [tenant],
  )
  const timelines: Graph["timelines"] = {}
  for (const { entity } of known) {
    const told = await readAs(database, tenant, (db) => timeline(db, tenant, entity, { limit: 500 }))
    timelines[entity] = told.events.map(({ event, via }) => ({
      event: places.get(event.id),
      via: via.map(({ eventId, ...link }) => ({ ...link, event: places.get(eventId) })),
    }))
  }
  return {
    entities,
    states: await read(`select event_id, ${bare} from entity_states t where tenant = $1`),
    links: await read(`select event_id, ${bare} from event_correlations t where tenant = $1`),
    references: await read(`select event_id, ${bare} from event_references t where tenant = $1`),
    timelines,
  }
}

/** What is derived of a history. */
export interface Graph {
  entities: unknown[]
  states: string[]
  links: string[]
  references: string[]
  timelines: Record<string, unknown[]>
}
