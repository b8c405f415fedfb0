import type { Reference } from "../../core/envelope.ts"
import { fieldsOf } from "../../core/fields.ts"
import type { Message, Normalized, TextField } from "../../core/platform.ts"
import { proseOrNull } from "../../core/text.ts"
import { statesOf } from "./entity-state.ts"
import { linkStatedBy, usualRelation } from "./relations.ts"
import { type CustomEvent, customSchema } from "./schema.ts"

/** Reads a custom event. What is none is read as an event that nothing is known of. */
export function normalize({ payload, receivedAt }: Message): Normalized {
  const parsed = customSchema.safeParse(payload)
  if (!parsed.success) return unreadable(receivedAt)
  const event = parsed.data
  const { type, actor, entity, title, url, occurredAt, correlationId, causationId } = event
  return {
    type,
    actor: actor ?? null,
    entity: entity ?? null,
    title: title ?? null,
    url: url ?? null,
    occurredAt: occurredAt ?? receivedAt,
    detail: null,
    references: referencesOf(event),
    texts: textsOf(event),
    states: statesOf(event, receivedAt),
    ...(typeof correlationId === "string" ? { correlationId } : {}),
    ...(typeof causationId === "string" ? { causationId } : {}),
  }
}

function referencesOf({ references, ...event }: CustomEvent): Reference[] {
  return (references ?? []).map(({ entity, relation, subject }, index) => ({
    entity,
    relation: relation ?? usualRelation,
    evidence: { field: `references[${index}]`, text: entity },
    stated: linkStatedBy(relation ?? usualRelation, [subject ?? event.entity, entity]),
    ...(typeof subject === "string" ? { subject } : {}),
  }))
}

/**
 * Members of `payload` that hold prose, by the names such members mostly have. Of no other text is it known that
 * it was written for people: names in it would be mentions by chance. docs/sending.md lists the same.
 */
export const proseMembers: readonly string[] = ["text", "body", "message", "description", "summary"]

function textsOf({ title, url, payload }: CustomEvent): TextField[] {
  const texts: TextField[] = []
  if (typeof title === "string") texts.push({ field: "title", format: "plain", text: title })
  if (typeof url === "string") texts.push({ field: "url", format: "url", text: url })
  const fields = fieldsOf(payload)
  for (const name of proseMembers) {
    const text = proseOrNull(fields[name])
    if (text !== null) texts.push({ field: `payload.${name}`, format: "markdown", text })
  }
  return texts
}

function unreadable(receivedAt: Date): Normalized {
  return {
    type: "custom.unknown.received",
    actor: null,
    entity: null,
    title: null,
    url: null,
    occurredAt: receivedAt,
    detail: null,
    references: [],
    texts: [],
  }
}
