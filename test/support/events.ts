import type pg from "pg"
import type { Reference, StoredEvent } from "../../src/core/envelope.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import { appendToLog, logRow } from "../../src/store/append-log.ts"
import { transaction, type Db } from "../../src/store/database.ts"

/** What a test says of an event; the rest is made up. `payload` as text or bytes is the body as it is. */
export interface EventSpec extends Partial<Omit<StoredEvent, "raw">> {
  payload?: unknown
  references?: Reference[]
}

/** Puts events into the log as processing does, in one transaction of their own. */
export async function logEvents(pool: pg.Pool, specs: readonly EventSpec[]): Promise<StoredEvent[]> {
  return transaction(pool, (db) => logEventsIn(db, specs))
}

/** The same within a transaction that the caller commits; from here on it holds the head of the log. */
export async function logEventsIn(db: Db, specs: readonly EventSpec[]): Promise<StoredEvent[]> {
  const events = specs.map(madeUp)
  for (const [index, event] of events.entries()) {
    await insertEvent(db, event)
    await insertReferences(db, event, specs[index]?.references ?? [])
  }
  await appendToLog(db, events.map(logRow), [])
  return events
}

async function insertEvent(db: Db, event: StoredEvent): Promise<void> {
  await db.query({
    name: "test_insert_event",
    text: `insert into events (id, tenant, platform, source, type, name, delivery_id, priority, actor_id,
        actor_name, actor_bot, entity, title, url, occurred_at, received_at, correlation_id, causation_id,
        headers, content_type, raw)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
    values: [
      event.id,
      event.tenant,
      event.platform,
      event.source,
      event.type,
      event.name,
      event.deliveryId,
      event.priority,
      event.actor?.id ?? null,
      event.actor?.name ?? null,
      event.actor?.bot ?? null,
      event.entity,
      event.title,
      event.url,
      event.occurredAt,
      event.receivedAt,
      event.correlationId,
      event.causationId,
      JSON.stringify(event.headers),
      event.contentType,
      event.raw,
    ],
  })
}

async function insertReferences(db: Db, event: StoredEvent, references: readonly Reference[]): Promise<void> {
  for (const [ordinal, { subject, entity, relation, evidence }] of references.entries()) {
    await db.query(
      `insert into event_references (event_id, tenant, ordinal, subject, entity, relation, evidence)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      [event.id, event.tenant, ordinal, subject ?? null, entity, relation, JSON.stringify(evidence)],
    )
  }
}

function madeUp(spec: EventSpec): StoredEvent {
  const { payload = {}, references, ...given } = spec
  void references // rows of their own
  const id = given.id ?? uuidv7()
  const now = new Date()
  return {
    tenant: "default",
    platform: "custom",
    source: "test",
    type: "test.thing.happened",
    name: "thing",
    deliveryId: id,
    priority: "normal",
    actor: null,
    entity: null,
    title: null,
    url: null,
    occurredAt: now,
    receivedAt: now,
    correlationId: id,
    causationId: null,
    backfilled: false,
    headers: {},
    contentType: "application/json",
    ...given,
    id,
    raw: bodyOf(payload),
  }
}

function bodyOf(payload: unknown): Buffer {
  if (Buffer.isBuffer(payload)) return payload
  return Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload))
}
