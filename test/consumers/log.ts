import type { LoggedEvent, PlatformName } from "../../src/core/envelope.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import { appendToLog, logRow } from "../../src/store/append-log.ts"
import { transaction, type Database } from "../../src/store/database.ts"
import { insertEvents } from "../../src/store/events.ts"
import { readLogPage } from "../../src/store/log-pages.ts"
import { createLogWindow, type ReadLog } from "../../src/consumers/log-window.ts"

/** What a test says of an event; the rest does not matter to it. */
export interface TestEvent {
  type?: string
  name?: string
  platform?: PlatformName
  tenant?: string
  entity?: string | null
  payload?: unknown
  causationId?: string
}

/** Puts events behind the others in the log, as processing does, and answers their ids. */
export async function append(database: Pick<Database, "work">, ...events: TestEvent[]): Promise<string[]> {
  const rows = events.map((event) => {
    const id = uuidv7()
    const raw = Buffer.from(JSON.stringify(event.payload ?? {}))
    return {
      id,
      tenant: event.tenant ?? "default",
      platform: event.platform ?? "custom",
      source: "default",
      type: event.type ?? "thing.done",
      name: event.name ?? event.type ?? "thing.done",
      deliveryId: id,
      priority: "normal" as const,
      receivedAt: new Date(),
      correlationId: id,
      causationId: event.causationId ?? null,
      headers: {},
      contentType: "application/json",
      raw,
      bodyHash: Buffer.alloc(32),
      actor: null,
      entity: event.entity ?? null,
      title: null,
      url: null,
      occurredAt: new Date(),
    }
  })
  await transaction(database.work, async (db) => {
    await insertEvents(db, rows)
    for (const row of rows) {
      await db.query("update events set entity = $2, occurred_at = $3 where id = $1", [
        row.id,
        row.entity,
        row.occurredAt,
      ])
    }
    await appendToLog(db, rows.map(logRow), [])
  })
  return rows.map(({ id }) => id)
}

/** The way a hub reads the log for its consumers. */
export function readerOf(database: Pick<Database, "work">): ReadLog {
  return createLogWindow((after) => readLogPage(database.work, after, 1024 * 1024))
}

/** A delivery as SQL users see it. */
export interface DeliveryRow {
  event_id: string
  status: string
  attempts: number
  partition: number
  last_error: string | null
  result: unknown
}

/** What became of every event at a consumer, in the order of the log. */
export async function deliveriesOf(database: Pick<Database, "work">, name: string): Promise<DeliveryRow[]> {
  const { rows } = await database.work.query<DeliveryRow>(
    `select d.event_id, d.status, d.attempts, d.partition, d.last_error, d.result
     from event_deliveries d join stream_subscriptions s on s.id = d.subscription_id
     where s.name = $1 order by d.position`,
    [name],
  )
  return rows
}

/** Waits until something holds, and fails with what was seen last. */
export async function eventually<T>(
  look: () => T | Promise<T>,
  holds: (seen: T) => boolean,
  ms = 20_000,
): Promise<T> {
  const end = Date.now() + ms
  for (;;) {
    const seen = await look()
    if (holds(seen)) return seen
    if (Date.now() > end) throw new Error(`it did not come to hold; seen last: ${JSON.stringify(seen)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** The ids of events, for comparing. */
export function idsOf(events: readonly LoggedEvent[]): string[] {
  return events.map(({ id }) => id)
}
