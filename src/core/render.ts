import type { LoggedEvent } from "./envelope.ts"
import { maskedBody, maskedText } from "./mask.ts"

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

/**
 * An event as the API, streams and webhooks show it, its secrets masked, as one line of JSON. `more` are
 * further members, as text: `"via":[]`.
 */
export function renderEvent(
  event: Omit<LoggedEvent, "position"> & { position: number | null },
  more?: string,
): string {
  return object(eventHead(event), `"payload":${onOneLine(maskedText(event.raw, event.contentType))}`, more)
}

/** The same as bytes, in UTF-8: where nothing has to be masked, the body is copied as it came and never decoded. */
export function renderEventBytes(event: LoggedEvent, more?: string): Buffer {
  const payload = maskedBody(event.raw, event.contentType)
  if (typeof payload === "string" || payload.includes("\n") || payload.includes("\r")) {
    return Buffer.from(object(eventHead(event), `"payload":${onOneLine(payload.toString())}`, more))
  }
  const before = `${JSON.stringify(eventHead(event)).slice(0, -1)},"payload":`
  const after = more === undefined ? "}" : `,${more}}`
  return Buffer.concat([Buffer.from(before), payload, Buffer.from(after)])
}

/**
 * The same, whatever the event: a body that is not UTF-8 is refused at the door; should one be in the log all
 * the same, it must not hold up everything that follows it, and its payload is null.
 */
export function renderStreamed(event: LoggedEvent): string {
  try {
    return renderEvent(event)
  } catch {
    return renderEvent({ ...event, contentType: "application/json", raw: Buffer.from("null") })
  }
}

/** The same without its payload. */
export function renderEventHead(
  event: Omit<LoggedEvent, "position" | "raw"> & { position: number | null },
  more?: string,
): string {
  return object(eventHead(event), more)
}

/** JSON of some members, and of others that are text already. */
function object(members: object, ...others: readonly (string | undefined)[]): string {
  const rest = others.filter((other) => other !== undefined)
  return [JSON.stringify(members).slice(0, -1), ...rest].join(",").concat("}")
}

/**
 * The payload goes out as the sender wrote it but for its secrets, never parsed and printed again:
 * integers above 2^53, repeated keys and lone surrogates survive. A raw line break in valid JSON can
 * only stand between tokens, so a space may take its place; SSE frames need that.
 */
function onOneLine(json: string): string {
  return /[\r\n]/.test(json) ? json.replace(/[\r\n]+/g, " ") : json
}
