import { hash } from "node:crypto"
import { SignalboxError } from "../core/errors.ts"
import { parsePayload } from "../core/payload.ts"
import type { Message, Platform } from "../core/platform.ts"
import { cleanText } from "../core/text.ts"
import { uuidv7 } from "../core/uuid.ts"
import type { NewEvent } from "../store/events.ts"

/** A body from a sender that is believed, verified or authenticated. */
export interface Delivery {
  platform: Platform
  tenant: string
  source: string
  headers: Readonly<Record<string, string>>
  contentType: string
  body: Buffer
  receivedAt: Date
  /** Which of the platform's kinds of sender the source is configured as. */
  sender?: string | undefined
  /** The secret that verified it; absent where it carries no signature. */
  secretId?: string | undefined
  /** Fetched from the provider's record, not sent by it. */
  backfilled?: boolean | undefined
}

/** Where an event stands among others, for those who know. */
export interface Lineage {
  /** Id for the event, a UUIDv7; made here if absent. */
  id?: string | undefined
  /** The event's own id if absent. */
  correlationId?: string | undefined
  causationId?: string | undefined
}

const maxHeaderChars = 1024
const maxNameChars = 255
const maxKeyBytes = 512 // as event_keys and event_states have it

/** Parses a delivery, with the headers that its platform keeps. Throws 400 for what is not JSON. */
export function messageOf({ platform, headers, contentType, body, receivedAt, sender }: Delivery): Message {
  const kept: Record<string, string> = {}
  for (const name of platform.keptHeaders) {
    const value = headers[name]
    if (value !== undefined) kept[name] = cleanText(value, maxHeaderChars)
  }
  return { headers: kept, contentType, payload: parsePayload(body, contentType), receivedAt, sender }
}

/** The row of a delivery. Throws 400 where the platform cannot tell what it is. */
export function eventOf(delivery: Delivery, message: Message, lineage: Lineage = {}): NewEvent {
  const { platform, tenant, source, body, receivedAt } = delivery
  const identity = platform.identify(message, body)
  checkKey("delivery key", identity.key)
  const { record } = identity
  const state = identity.state ?? (delivery.backfilled === true ? record : undefined)
  for (const text of [state, record]) if (text !== undefined) checkKey("state", text)
  const id = lineage.id ?? uuidv7(receivedAt.getTime())
  return {
    id,
    tenant,
    platform: platform.name,
    source,
    type: cleanText(identity.type, maxNameChars),
    name: cleanText(identity.name, maxNameChars),
    deliveryId: identity.key,
    priority: identity.priority,
    receivedAt,
    correlationId: lineage.correlationId ?? id,
    causationId: lineage.causationId ?? null,
    headers: message.headers,
    contentType: cleanText(message.contentType, maxNameChars),
    sender: delivery.sender,
    secretId: delivery.secretId,
    backfilled: delivery.backfilled,
    state,
    record: state === undefined ? record : undefined,
    endpointHeader: identity.endpointHeader,
    raw: body,
    bodyHash: hash("sha256", body, "buffer"),
  }
}

// A key is refused and never cleaned: cleaning could make one key of two.
function checkKey(what: string, key: string): void {
  if (key === "" || Buffer.byteLength(key) > maxKeyBytes) {
    throw new SignalboxError("bad_request", `the ${what} must have 1 to ${maxKeyBytes} bytes`)
  }
  if (key.includes("\0") || !key.isWellFormed()) {
    throw new SignalboxError("bad_request", `the ${what} must be well-formed text without NUL`)
  }
}
