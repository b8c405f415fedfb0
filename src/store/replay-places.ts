import type { Filter } from "../core/filter.ts"
import type { ReplayChoice } from "../core/replay.ts"
import type { Db } from "./database.ts"
import { createConditions, wantedTypes, type Conditions } from "./filter-conditions.ts"
import { orderKeyOf } from "./logged-events.ts"

/** Which places of the log a replay looks at. */
export interface ReplaySelection extends Omit<ReplayChoice, "filter"> {
  tenant: string
  subscriptionId: string
  /** All of these must hold; what they ask of the events themselves is left out. */
  filters: readonly Filter[]
  entities: readonly string[] | null
}

/** An event's place in the log, and what of it a replay goes by. */
export interface ReplayPlace {
  eventId: string
  position: number
  bytes: number
  entity: string | null
  /** See `orderKey`. */
  orderKey: string
  /** The sender's own name of the event. */
  name: string
}

/** The chosen places in (after, upTo], in order, `limit` at most. */
export async function replayPlaces(
  db: Db,
  selection: ReplaySelection,
  { after, upTo, limit }: { after: number; upTo: number; limit: number },
): Promise<ReplayPlace[]> {
  const conditions = await conditionsOf(db, selection)
  within(conditions, after, upTo)
  const { rows } = await db.query<ReplayPlace>(
    `select l.event_id as "eventId", l.position, l.bytes, l.entity, ${orderKeyOf("l")} as "orderKey", l.name
     from event_log l where ${conditions.text()} order by l.position limit ${limit}`,
    conditions.values,
  )
  return rows
}

/** How many places are chosen in (after, upTo]. */
export async function countPlaces(
  db: Db,
  selection: ReplaySelection,
  { after, upTo }: { after: number; upTo: number },
): Promise<number> {
  const conditions = await conditionsOf(db, selection)
  within(conditions, after, upTo)
  const { rows } = await db.query<{ events: number }>(
    `select count(*) as events from event_log l where ${conditions.text()}`,
    conditions.values,
  )
  return rows[0]?.events ?? 0
}

function within({ add }: Conditions, after: number, upTo: number): void {
  add((p) => `l.position > ${p}::bigint`, after)
  add((p) => `l.position <= ${p}::bigint`, upTo)
}

async function conditionsOf(db: Db, selection: ReplaySelection): Promise<Conditions> {
  const { tenant, subscriptionId, filters, entities, since, until, correlationId, deliveries } = selection
  const conditions = createConditions(tenant)
  const { add } = conditions
  for (const filter of filters) conditions.addFilter(filter, await wantedTypes(db, tenant, filter.types))
  add((p) => `l.entity = any(${p}::text[])`, entities ?? undefined)
  add((p) => `l.correlation_id = ${p}`, correlationId ?? undefined)
  add((p) => `l.event_id >= uuidv7_lower_bound(${p}::timestamptz)`, since?.toISOString())
  add((p) => `l.event_id < uuidv7_lower_bound(${p}::timestamptz)`, until?.toISOString())
  if (deliveries !== null) {
    add((p) => `${p}::uuid is not null`, subscriptionId)
    const subscription = `$${conditions.values.length}`
    add(
      (p) => `exists (select from event_deliveries d where d.event_id = l.event_id
        and d.subscription_id = ${subscription} and d.status = any(${p}::text[]))`,
      deliveries,
    )
  }
  return conditions
}
