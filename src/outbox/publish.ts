import { uuidv7 } from "../core/uuid.ts"
import { jsonRow } from "../store/json-rows.ts"
import { insertOutbox, type OutboxEntry, type Transaction } from "../store/outbox.ts"

/** A custom event to be published; what else its type wants to say goes into `payload`. */
export interface PublishedEvent {
  /** Two or more lower-case segments: `billing.invoice.paid`. */
  type: string
  /** Canonical key of what it is about: `billing:invoice:42`. */
  entity?: string
  title?: string
  url?: string
  priority?: "critical" | "high" | "normal" | "low"
  actor?: { id: string; name: string; bot?: boolean }
  occurredAt?: Date | string
  correlationId?: string
  causationId?: string
  references?: readonly { entity: string; relation?: string; subject?: string }[]
  payload?: unknown
}

export interface PublishOptions {
  /** Whose event it is (`default`). */
  tenant?: string
}

/**
 * Publishes an event within the caller's own transaction: it happens if and only if that commits. One
 * row is written, by one statement; the relay hands it over afterwards. Answers the delivery key under
 * which the event is taken in, whatever becomes of relay or database in between.
 *
 * @example
 * await client.query("begin")
 * await client.query("update invoices set paid = true where id = 42")
 * await publish(client, { type: "billing.invoice.paid", entity: "billing:invoice:42" })
 * await client.query("commit")
 */
export async function publish(
  tx: Transaction,
  event: PublishedEvent,
  options: PublishOptions = {},
): Promise<string> {
  const [eventId = ""] = await publishBatch(tx, [event], options)
  return eventId
}

/**
 * Publishes events within the caller's own transaction, all by one statement: they happen, in this order of
 * being taken in, if and only if that commits. Answers their delivery keys, in the same order.
 */
export async function publishBatch(
  tx: Transaction,
  events: readonly PublishedEvent[],
  { tenant = "default" }: PublishOptions = {},
): Promise<string[]> {
  if (events.length === 0) return []
  const entries = events.map((event) => toEntry(event, tenant))
  await insertOutbox(tx, entries)
  return entries.map(({ eventId }) => eventId)
}

function toEntry(event: PublishedEvent, tenant: string): OutboxEntry {
  const [platform, kind, ...id] = event.entity?.split(":") ?? []
  return {
    eventId: uuidv7(),
    tenant,
    type: event.type,
    entityType: kind === undefined ? null : `${platform}:${kind}`,
    entityId: id.length === 0 ? null : id.join(":"),
    body: jsonRow(event),
  }
}
