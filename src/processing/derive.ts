import type { StoredEvent } from "../core/envelope.ts"
import type { Correlate } from "../core/correlate.ts"
import { parsePayload } from "../core/payload.ts"
import type { Normalized, Platform } from "../core/platform.ts"
import { cleanText, textOrNull } from "../core/text.ts"
import { detailRow, type DetailTable } from "../store/details.ts"
import { logRow } from "../store/append-log.ts"
import { eventRow, type ProcessedEvent } from "../store/processing.ts"
import { linkRow, referenceRow } from "../store/relations.ts"
import { headOf } from "./failed-attempt.ts"

/** Everything that one event says, ready to be written; holds no body. */
export interface Derived {
  event: ProcessedEvent
  attempts: number
  eventRow: string
  logRow: string
  detail: { table: DetailTable; row: string } | null
  referenceRows: string[]
  linkRows: string[]
  /** Size of all rows, in UTF-16 units. */
  size: number
}

/** Derives what an event says; throws whatever its platform or the rules throw. */
export type Derive = (event: StoredEvent, attempts: number) => Derived

// Far above what correlation keeps; a bound on what a platform that keeps none can make us write.
const maxReferences = 1_000
const maxLinks = 2_000

/** Makes the derivation for these platforms and rules; it depends on the event alone. */
export function createDerive(platforms: readonly Platform[], correlate: Correlate): Derive {
  const byName = new Map(platforms.map((platform) => [platform.name, platform]))
  return (event, attempts) => {
    const platform = byName.get(event.platform)
    if (platform === undefined) throw new Error(`this process knows no platform ${event.platform}`)
    const { headers, contentType, receivedAt } = event
    const payload = parsePayload(event.raw, contentType)
    const normalized = platform.normalize({ headers, contentType, payload, receivedAt })
    const filled = fill(event, normalized)
    const { references, links } = correlate(filled, normalized)
    const derived = {
      event: headOf(filled),
      attempts,
      eventRow: eventRow(filled),
      logRow: logRow(filled),
      detail: detailOf(platform, filled, normalized),
      referenceRows: references
        .slice(0, maxReferences)
        .map((reference, ordinal) => referenceRow(filled, reference, ordinal)),
      linkRows: links.slice(0, maxLinks).map((link) => linkRow(filled, link)),
    }
    return { ...derived, size: sizeOf(derived) }
  }
}

/** The event with what its platform made of it, within what the columns take. */
function fill(event: StoredEvent, normalized: Normalized): StoredEvent {
  const { actor, occurredAt } = normalized
  return {
    ...event,
    type: cleanText(normalized.type, 256),
    actor:
      actor === null
        ? null
        : { id: cleanText(actor.id, 256), name: cleanText(actor.name, 256), bot: actor.bot },
    entity: textOrNull(normalized.entity, 1_024),
    title: textOrNull(normalized.title, 1_024),
    url: textOrNull(normalized.url, 4_096),
    // no event dies of a sender's broken clock
    occurredAt: Number.isNaN(occurredAt.getTime()) ? event.receivedAt : occurredAt,
    correlationId: textOrNull(normalized.correlationId, 256) ?? event.correlationId,
    causationId: textOrNull(normalized.causationId, 256) ?? event.causationId,
  }
}

function detailOf(platform: Platform, event: StoredEvent, normalized: Normalized): Derived["detail"] {
  if (platform.detail === null || normalized.detail === null) return null
  return { table: platform.detail, row: detailRow(event.id, event.tenant, normalized.detail) }
}

function sizeOf(rows: Omit<Derived, "size">): number {
  const texts = [rows.eventRow, rows.logRow, rows.detail?.row ?? "", ...rows.referenceRows, ...rows.linkRows]
  return texts.reduce((sum, text) => sum + text.length, 0)
}
