import { entityKind } from "../core/entity-key.ts"
import { wordsOf, type Finding } from "../core/explanation.ts"
import type { LinkRecord } from "../store/explain.ts"

/**
 * What later states say against the links of two things that they ended, each once, by the latest that says it.
 * Where a link as strong stands, an earlier one that ended is its history, and speaks against nothing.
 */
export function endings(records: readonly LinkRecord[]): Finding[] {
  const standing = records.filter(({ knownTo }) => knownTo === null)
  const isReplaced = ({ strength }: LinkRecord): boolean =>
    standing.some((one) => one.strength === "strong" || strength === "weak")
  const findings = new Map<string, Finding>()
  const ended = records.filter((record) => !isReplaced(record))
  for (const record of ended.toSorted((one, other) => endOf(other) - endOf(one))) {
    for (const finding of ending(record)) {
      if (!findings.has(finding.detail)) findings.set(finding.detail, finding)
    }
  }
  return [...findings.values()]
}

/** What the later state says that ended a link; nothing where none did, or where it shows the link as well. */
export function ending({ endedBy, evidence, document, from, to, rule }: LinkRecord): Finding[] {
  if (endedBy === null || endedBy.renews) return []
  const thing = nameOf(document ?? from, [from, to])
  const words = wordsOf(evidence) === null ? null : JSON.stringify(evidence.text)
  const kind = endedBy.deleted ? "deleted" : "edited"
  const detail = endedBy.deleted
    ? `${thing} is deleted, ${words === null ? "which" : `in which ${words}`} showed the link`
    : `the ${evidence.field} of ${thing} was edited since, so ${rule} no longer makes the link that ${words === null ? "it" : `${words} in it`} showed`
  return [{ kind, detail, eventId: endedBy.id, ...evidence }]
}

function endOf({ endedBy }: LinkRecord): number {
  return Date.parse(endedBy?.occurredAt ?? "") || 0
}

/** A thing by the key that people know, where it is one of the two: `acme/api#42` has its states by a number. */
function nameOf(document: string, ends: readonly string[]): string {
  return ends.find((end) => entityKind(document) === `${entityKind(end)}_id`) ?? document
}
