import type { StoredEvent } from "../../src/core/envelope.ts"
import type { Database } from "../../src/store/database.ts"
import { readLogPage } from "../../src/store/log-pages.ts"
import { logEvents, type EventSpec } from "../support/events.ts"
import type { ConsumerDefinition } from "../../src/consumers/definition.ts"
import type { ReadLog } from "../../src/consumers/log-window.ts"

/** Puts events behind the others in the log, and answers their ids. */
export async function append(database: Pick<Database, "work">, ...events: EventSpec[]): Promise<string[]> {
  return idsOf(await logEvents(database.work, events))
}

/** The way a hub reads the log for its consumers. */
export function readerOf(database: Pick<Database, "work">): ReadLog {
  return (after) => readLogPage(database.work, after, 1024 * 1024)
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
export function idsOf(events: readonly StoredEvent[]): string[] {
  return events.map(({ id }) => id)
}

/** A handler of every event of the tenant `default`, but for what `options` say. */
export function handler(
  name: string,
  run: ConsumerDefinition["run"],
  options: Partial<ConsumerDefinition> = {},
): ConsumerDefinition {
  return {
    name,
    kind: "handler",
    tenant: "default",
    stream: "all_events",
    matches: () => true,
    run,
    ...options,
  }
}
