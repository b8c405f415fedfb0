import type { LoggedEvent } from "../core/envelope.ts"
import { uuidv7 } from "../core/uuid.ts"

/** An event that shows a receiver what it would get; it is in no log. */
export function testEvent(
  tenant: string,
  subscription: { id: string; name: string },
  now: Date,
): LoggedEvent {
  const id = uuidv7(now.getTime())
  return {
    id,
    tenant,
    position: 0,
    platform: "custom",
    source: "signalbox",
    type: "signalbox.subscription.test",
    name: "signalbox.subscription.test",
    deliveryId: id,
    priority: "normal",
    actor: null,
    entity: null,
    title: `A test of the webhook subscription ${subscription.name}`,
    url: null,
    occurredAt: now,
    receivedAt: now,
    correlationId: id,
    causationId: null,
    headers: {},
    contentType: "application/json",
    backfilled: false,
    references: [],
    raw: Buffer.from(
      JSON.stringify({ test: true, subscription: { id: subscription.id, name: subscription.name } }),
    ),
  }
}
