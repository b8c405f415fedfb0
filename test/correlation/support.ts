import { createCorrelation, type RuledEvent } from "../../src/correlation/correlation.ts"
import type { PlatformName, StoredEvent } from "../../src/core/envelope.ts"
import type { Normalized } from "../../src/core/platform.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import { platforms } from "../../src/platforms/index.ts"

/** What a platform makes of an event, with nothing in it but what a test is about. */
export function normalizedOf(given: Partial<Normalized>): Normalized {
  return {
    type: "github.pull_request.opened",
    actor: null,
    entity: null,
    title: null,
    url: null,
    occurredAt: new Date("2026-11-21T12:00:00.000Z"),
    detail: null,
    references: [],
    texts: [],
    ...given,
  }
}

/** The stored event that a normalized one came from. */
export function eventOf(normalized: Normalized, given: Partial<StoredEvent> = {}): StoredEvent {
  const platform = normalized.type.split(".", 1)[0] as PlatformName
  return {
    id: uuidv7(),
    tenant: "default",
    platform,
    source: "default",
    type: normalized.type,
    name: normalized.type,
    deliveryId: uuidv7(),
    priority: "normal",
    actor: normalized.actor,
    entity: normalized.entity,
    title: normalized.title,
    url: normalized.url,
    occurredAt: normalized.occurredAt,
    receivedAt: normalized.occurredAt,
    correlationId: "c",
    causationId: null,
    backfilled: false,
    headers: {},
    contentType: "application/json",
    raw: Buffer.from("{}"),
    ...given,
  }
}

const builtIn = createCorrelation({ platforms })

/** What the built-in rules make of it. */
export function correlate(given: Partial<Normalized>, event: Partial<StoredEvent> = {}): RuledEvent {
  const normalized = normalizedOf(given)
  return builtIn.correlate(eventOf(normalized, event), normalized)
}

/** Links in short: `from -relation-> to (strength, rule)`, sorted. */
export function shortLinks({ links }: Pick<RuledEvent, "links">): string[] {
  return links
    .map(({ from, to, relation, strength, rule }) => `${from} -${relation}-> ${to} (${strength}, ${rule})`)
    .toSorted()
}

/** References in short: `relation entity "text" in field`, in their order. */
export function shortReferences({ references }: Pick<RuledEvent, "references">): string[] {
  return references.map(
    ({ relation, entity, evidence }) =>
      `${relation} ${entity} ${JSON.stringify(evidence.text)} in ${evidence.field}`,
  )
}
