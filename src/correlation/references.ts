import { canonicalEntityKey } from "../core/entity-key.ts"
import type { Evidence, Reference } from "../core/envelope.ts"
import type { KnownNames, Normalized, Platform, TextField } from "../core/platform.ts"
import { fairShare } from "./fair-share.ts"
import { maxUrlLength } from "./find-urls.ts"
import { maxTextLength, readableText, readText } from "./read-text.ts"

/** References kept of one event; a push of thousands of commits must not write thousands of rows. */
export const maxReferences = 500
const maxTextOfEvent = 4 * maxTextLength
/** Relations are lower snake case. */
export const relationForm = /^[a-z][a-z0-9_]{0,62}$/

/**
 * The references of an event: those that its platform took from its structure, then those found in
 * its texts, each once for every field that shows it. A thing's mention of itself is left out.
 */
export function collectReferences(
  platforms: readonly Platform[],
  normalized: Normalized,
  known: KnownNames = {},
): Reference[] {
  const found = new Map<string, Reference>()
  const told = new Set<string>() // where a field says more than that it mentions something
  const add = (reference: Reference): void => {
    const place = placeOf(reference)
    const key = `${place}\n${reference.relation}`
    if (reference.relation !== "mentions") told.add(place)
    if (!found.has(key)) found.set(key, reference)
  }

  for (const reference of normalized.references) {
    const usable = checkReference(reference, normalized.entity)
    if (usable !== null) add(usable)
  }
  for (const { field, text } of readableTexts(normalized.texts)) {
    const subject = field.subject ?? normalized.entity
    for (const mention of readText(platforms, { ...field, text }, subject, known)) {
      const { entity, relation, start, end } = mention
      const evidence = { field: field.field, text: mention.text, start, end }
      const reference = {
        entity,
        relation,
        evidence,
        ...(field.subject === undefined ? {} : { subject: field.subject }),
        ...(field.document === undefined ? {} : { document: field.document }),
      }
      const usable = checkReference(reference, normalized.entity)
      if (usable !== null) add(usable)
    }
  }

  const telling = [...found.values()].filter((reference) => !isOutdone(reference, told))
  return fairShare(telling, maxReferences)
}

/** What is read of each text, in their order. Where there is too much, the longest are cut: titles and names never. */
function readableTexts(texts: readonly TextField[]): { field: TextField; text: string }[] {
  let left = maxTextOfEvent
  const readable = new Map<TextField, string>()
  for (const field of texts.toSorted((one, other) => one.text.length - other.text.length)) {
    const text = readableText(field.text, Math.min(maxTextLength, left))
    left -= text.length
    readable.set(field, text)
  }
  return texts.flatMap((field) => {
    const text = readable.get(field) ?? ""
    return text === "" ? [] : [{ field, text }]
  })
}

function isOutdone(reference: Reference, told: ReadonlySet<string>): boolean {
  return reference.relation === "mentions" && told.has(placeOf(reference))
}

function placeOf({ subject = "", document = "", entity, evidence }: Reference): string {
  return [subject, document, entity, evidence.field].join("\n")
}

/** The reference fit to be stored; null for a self-reference and for what is no key or no relation. */
function checkReference(reference: Reference, ownEntity: string | null): Reference | null {
  const entity = canonicalEntityKey(reference.entity)
  const subject = reference.subject === undefined ? undefined : canonicalEntityKey(reference.subject)
  if (entity === null || subject === null || entity === (subject ?? ownEntity)) return null
  const { relation } = reference
  if (!relationForm.test(relation)) return null
  const document = reference.document === undefined ? null : canonicalEntityKey(reference.document)
  return {
    entity,
    relation,
    evidence: readableEvidence(reference.evidence),
    ...(subject === undefined ? {} : { subject }),
    ...(document === null ? {} : { document }),
    ...(reference.stated === undefined ? {} : { stated: reference.stated }),
  }
}

/** Evidence as the database takes it, as long as an address may be; offsets are kept only with the whole text that they span. */
export function readableEvidence({ field, text, start, end }: Evidence): Evidence {
  const readable = { field: readableText(field, 128), text: readableText(text, maxUrlLength) }
  const whole = start !== undefined && end !== undefined && end - start === readable.text.length
  return whole ? { ...readable, start, end } : readable
}
