import { canonicalEntityKey } from "./entity-key.ts"
import type { StoredEvent } from "./envelope.ts"
import { maskKey } from "./mask.ts"
import { parsePayload } from "./payload.ts"
import type { Message, Normalized, Platform } from "./platform.ts"
import { cleanText, textOrNull } from "./text.ts"
import { notAheadOf } from "./time.ts"

/** An event as its platform reads it today. */
export interface NormalizedEvent {
  platform: Platform
  message: Message
  normalized: Normalized
  /** The event with its fields from `normalized` filled in, within what the columns take. */
  event: StoredEvent
}

/** Reads stored events by their platforms; it depends on the event alone, and throws what its platform throws. */
export function createNormalizer(platforms: readonly Platform[]): (event: StoredEvent) => NormalizedEvent {
  const byName = new Map(platforms.map((platform) => [platform.name, platform]))
  return (event) => {
    const platform = byName.get(event.platform)
    if (platform === undefined) throw new Error(`this process knows no platform ${event.platform}`)
    const { headers, contentType, receivedAt, sender } = event
    const payload = parsePayload(event.raw, contentType)
    const message = { headers, contentType, payload, receivedAt, sender }
    const read = platform.normalize(message)
    const timed = platform.unkeptClocks === true ? withinTime(read, receivedAt) : read
    const normalized = { ...timed, entity: keyOf(read.entity) }
    return { platform, message, normalized, event: fill(event, normalized) }
  }
}

function withinTime(read: Normalized, receivedAt: Date): Normalized {
  const { occurredAt, states } = read
  return {
    ...read,
    occurredAt: notAheadOf(receivedAt, occurredAt),
    ...(states === undefined
      ? {}
      : { states: states.map((state) => ({ ...state, at: notAheadOf(receivedAt, state.at) })) }),
  }
}

/** The key as references and links have it, so that the event is found where they lead. */
function keyOf(entity: string | null): string | null {
  return entity === null ? null : (canonicalEntityKey(entity) ?? textOrNull(maskKey(entity), 1_024))
}

function fill(event: StoredEvent, normalized: Normalized): StoredEvent {
  const { actor, occurredAt } = normalized
  return {
    ...event,
    type: cleanText(normalized.type, 256),
    actor:
      actor === null
        ? null
        : { id: cleanText(actor.id, 256), name: cleanText(actor.name, 256), bot: actor.bot },
    entity: normalized.entity,
    title: textOrNull(normalized.title, 1_024),
    url: textOrNull(normalized.url, 4_096),
    // no event dies of a sender's broken clock
    occurredAt: Number.isNaN(occurredAt.getTime()) ? event.receivedAt : occurredAt,
    correlationId: textOrNull(normalized.correlationId, 256) ?? event.correlationId,
    causationId: textOrNull(normalized.causationId, 256) ?? event.causationId,
  }
}
