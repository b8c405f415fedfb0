import type { LoggedEvent } from "./envelope.ts"

/**
 * An event for somebody's own use: what he does to its fields changes nothing of what others are handed. The body
 * is the same bytes, which nobody is to write to.
 */
export function copyEvent(event: LoggedEvent): LoggedEvent {
  const { actor, references, headers, occurredAt, receivedAt } = event
  return {
    ...event,
    actor: actor && { ...actor },
    references: references.map((one) => ({ ...one, evidence: { ...one.evidence } })),
    headers: { ...headers },
    occurredAt: occurredAt && new Date(occurredAt),
    receivedAt: new Date(receivedAt),
  }
}
