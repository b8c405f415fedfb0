import type { KnownNames, Normalized, Platform } from "../core/platform.ts"
import { readableText, readText } from "./read-text.ts"

/**
 * The event as it would be if its texts and its structure named `targets` alone: every other mention is
 * replaced by one of a target, so that lists and their words stay lists of one thing. Of what the rules make
 * of it, more than of the event itself is what the company of others cost.
 */
export function namingAlone(
  platforms: readonly Platform[],
  normalized: Normalized,
  targets: ReadonlySet<string>,
  known: KnownNames,
): Normalized {
  return {
    ...normalized,
    references: normalized.references.filter(({ entity }) => targets.has(entity)),
    texts: normalized.texts.map((field) => {
      const text = readableText(field.text)
      const mentions = readText(platforms, { ...field, text }, field.subject ?? normalized.entity, known)
      const own = mentions.find(({ entity }) => targets.has(entity))
      if (own === undefined) return { ...field, text }
      let changed = ""
      let at = 0
      for (const { entity, start, end } of mentions) {
        if (targets.has(entity) || start < at) continue
        changed += text.slice(at, start) + own.text
        at = end
      }
      return { ...field, text: changed + text.slice(at) }
    }),
  }
}
