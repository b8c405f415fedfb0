import type pg from "pg"
import type { Db } from "./database.ts"
import type { NewEvent } from "./events.ts"
import { valuesList } from "./values-list.ts"

/** Who holds a delivery key, and the hash of the body it came with. */
export interface KeyHolder {
  eventId: string
  bodyHash: Buffer
}

const keyColumns = "tenant, platform, source, delivery_id"

/** One text for a delivery key, to sort and to look up by. */
export function keyText(event: Pick<NewEvent, "tenant" | "platform" | "source" | "deliveryId">): string {
  return JSON.stringify([event.tenant, event.platform, event.source, event.deliveryId])
}

/**
 * Takes the delivery keys of events, given in the order of their keys: transactions that want the
 * same keys then wait for each other in turn and never in a circle. Fails where a key is taken.
 */
export function takeKeys(db: Db, events: readonly NewEvent[]): Promise<pg.QueryResult> {
  return db.query({
    name: `take_keys_${events.length}`,
    text: `insert into event_keys (${keyColumns}, event_id, body_sha256, received_at)
      values ${valuesList(events.length, 7)}`,
    values: keyValues(events),
  })
}

/** The same, leaving out the keys that are taken; answers the ids of the events that got theirs. */
export async function takeFreeKeys(db: Db, events: readonly NewEvent[]): Promise<Set<string>> {
  const { rows } = await db.query<{ event_id: string }>({
    name: `take_free_keys_${events.length}`,
    text: `insert into event_keys (${keyColumns}, event_id, body_sha256, received_at)
      values ${valuesList(events.length, 7)}
      on conflict do nothing returning event_id`,
    values: keyValues(events),
  })
  return new Set(rows.map((row) => row.event_id))
}

/** Who holds the keys of these events, by `keyText`. */
export async function keyHolders(db: Db, events: readonly NewEvent[]): Promise<Map<string, KeyHolder>> {
  if (events.length === 0) return new Map()
  const { rows } = await db.query<KeyHolder & NewEvent>(
    `select tenant, platform, source, delivery_id as "deliveryId", event_id as "eventId",
        body_sha256 as "bodyHash"
      from event_keys where (${keyColumns}) in (${valuesList(events.length, 4)})`,
    events.flatMap((event) => [event.tenant, event.platform, event.source, event.deliveryId]),
  )
  return new Map(rows.map((row) => [keyText(row), { eventId: row.eventId, bodyHash: row.bodyHash }]))
}

/** Lets the key of an event that is not stored name the event that tells of the same. */
export async function passKey(db: Db, event: NewEvent, eventId: string): Promise<void> {
  await db.query({
    name: "pass_key",
    text: `update event_keys set event_id = $5
      where tenant = $1 and platform = $2 and source = $3 and delivery_id = $4`,
    values: [event.tenant, event.platform, event.source, event.deliveryId, eventId],
  })
}

function keyValues(events: readonly NewEvent[]): unknown[] {
  const values: unknown[] = []
  for (const event of events) {
    values.push(
      event.tenant,
      event.platform,
      event.source,
      event.deliveryId,
      event.id,
      event.bodyHash,
      event.receivedAt.toISOString(),
    )
  }
  return values
}
