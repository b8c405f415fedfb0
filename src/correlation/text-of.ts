import type { Normalized, TextField } from "../core/platform.ts"
import type { RuleInput, SubjectReference } from "./rule.ts"

/** The text in which a reference was found; undefined for one that the platform took from its structure. */
export function textOf(
  { subject, document, evidence }: SubjectReference,
  { entity, texts }: Normalized,
): TextField | undefined {
  return texts.find((text) => {
    const owner = text.subject ?? entity
    return text.field === evidence.field && owner === subject && (text.document ?? owner) === document
  })
}

/** Whether a program wrote the text: what it lists (changelogs above all), nobody meant to be one story. */
function isBotText(reference: SubjectReference, normalized: Normalized): boolean {
  return textOf(reference, normalized)?.bot === true
}

/** `strong` for what people wrote. */
export function strengthByAuthor(reference: SubjectReference, input: RuleInput): "strong" | "weak" {
  return isBotText(reference, input.normalized) ? "weak" : "strong"
}
