import type { LoggedEvent } from "./envelope.ts"
import { maskedText } from "./mask.ts"

/** The public JSON of an event, without its payload. */
export interface EventHead {
  id: string
  position: number | null
  tenant: string
  platform: string
  source: string
  type: string
  name: string
  deliveryId: string
  actor: LoggedEvent["actor"]
  entity: string | null
  references: LoggedEvent["references"]
  title: string | null
  url: string | null
  priority: string
  occurredAt: string | null
  receivedAt: string
  correlationId: string
  causationId: string | null
  /** Fetched from the provider's own record and not sent by it. */
  backfilled: boolean
}

/** The public fields of an event, all but its payload. */
export function eventHead(
  event: Omit<LoggedEvent, "position" | "raw"> & { position: number | null },
): EventHead {
  return {
    id: event.id,
    position: event.position,
    tenant: event.tenant,
    platform: event.platform,
    source: event.source,
    type: event.type,
    name: event.name,
    deliveryId: event.deliveryId,
    actor: event.actor,
    entity: event.entity,
    references: event.references,
    title: event.title,
    url: event.url,
    priority: event.priority,
    occurredAt: event.occurredAt?.toISOString() ?? null,
    receivedAt: event.receivedAt.toISOString(),
    correlationId: event.correlationId,
    causationId: event.causationId,
    backfilled: event.backfilled,
  }
}

/** An event as the API, streams and webhooks show it, its secrets masked, as one line of JSON. */
export function renderEvent(event: Omit<LoggedEvent, "position"> & { position: number | null }): string {
  const head = JSON.stringify(eventHead(event))
  return `${head.slice(0, -1)},"payload":${onOneLine(maskedText(event.raw, event.contentType))}}`
}

/**
 * The payload goes out as the sender wrote it but for its secrets, never parsed and printed again:
 * integers above 2^53, repeated keys and lone surrogates survive. A raw line break in valid JSON can
 * only stand between tokens, so a space may take its place; SSE frames need that.
 */
function onOneLine(json: string): string {
  return /[\r\n]/.test(json) ? json.replace(/[\r\n]+/g, " ") : json
}
