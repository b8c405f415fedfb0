import { uuidv7 } from "../core/uuid.ts"
import { jsonRow } from "../store/json-rows.ts"
import { insertOutbox, type Transaction } from "../store/outbox.ts"

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
  { tenant = "default" }: { tenant?: string } = {},
): Promise<string> {
  const eventId = uuidv7()
  const [platform, kind, ...id] = event.entity?.split(":") ?? []
  await insertOutbox(tx, {
    eventId,
    tenant,
    type: event.type,
    entityType: kind === undefined ? null : `${platform}:${kind}`,
    entityId: id.length === 0 ? null : id.join(":"),
    body: jsonRow(event),
  })
  return eventId
}
