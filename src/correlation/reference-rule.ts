import { entityKind } from "../core/entity-key.ts"
import { compilePatterns } from "../core/pattern.ts"
import type { ProposedLink, Rule, RuleAbout, RuleInput, SubjectReference } from "./rule.ts"

/** A rule that turns references of one form into links, each reference by itself. */
export interface ReferenceRule {
  name: string
  version: number
  /** What it looks at, for people. */
  reads: string
  /** Patterns of the event types it reads; all where absent. */
  on?: readonly string[]
  /** What a reference must be; each absent part is any. */
  when: {
    relation?: readonly string[]
    field?: readonly string[]
    /** Kinds of what refers, and of what is referred to: `github:pull_request`. */
    subject?: readonly string[]
    entity?: readonly string[]
    also?: (reference: SubjectReference, input: RuleInput) => boolean
  }
  link: {
    relation: string
    strength: "strong" | "weak" | ((reference: SubjectReference, input: RuleInput) => "strong" | "weak")
    /** When a strength that is a function comes to `weak`, for people. */
    weakWhere?: string
    /** Of a link that is as strong as one of the rule can be; of a weaker one it is the half. */
    confidence: number
    /** The link leads from what is referred to, to what refers. */
    reversed?: boolean
    /** Where one field refers to more than this, it is a list (a changelog, a digest) and its links are weak. */
    strongUpTo?: number
    /** The same for all fields of a thing together, and for every sort of mention: a release's title and body. */
    strongUpToInAll?: number
    /** The same for all fields together, of those references alone that this and its sister rules link strongly. */
    strongTogether?: { upTo: number; of: (reference: SubjectReference) => boolean }
  }
}

/** Makes the rule that a declaration describes. */
export function referenceRule({ name, version, reads, on, when, link }: ReferenceRule): Rule {
  const isRead = on === undefined ? () => true : compilePatterns(on)
  const find = (input: RuleInput): ProposedLink[] => {
    if (!isRead(input.normalized.type)) return []
    const matching = input.references.filter((reference) => fits(reference, when, input))
    if (matching.length === 0) return []
    const inField = countTargets(matching, ({ evidence }) => evidence.field)
    const inAll = countTargets(input.references, ({ entity }) => entityKind(entity))
    const { upTo = Infinity, of = () => false } = link.strongTogether ?? {}
    const together = countTargets(input.references.filter(of), ({ entity }) => entityKind(entity))
    return matching.flatMap((reference) => {
      if (reference.subject === null) return []
      const [from, to] =
        link.reversed === true ? [reference.entity, reference.subject] : [reference.subject, reference.entity]
      const declared = typeof link.strength === "function" ? link.strength(reference, input) : link.strength
      const listed =
        inField(reference) > (link.strongUpTo ?? Infinity) ||
        inAll(reference) > (link.strongUpToInAll ?? Infinity) ||
        together(reference) > upTo
      const weakened = listed || (typeof link.strength === "function" && declared === "weak")
      return {
        from,
        to,
        relation: link.relation,
        strength: listed ? "weak" : declared,
        confidence: weakened ? link.confidence / 2 : link.confidence,
        evidence: reference.evidence,
        ...(reference.document === null ? {} : { document: reference.document }),
      }
    })
  }
  return { name, version, about: { reads, ...strengthOf(link) }, find }
}

function strengthOf({ relation, strength, ...link }: ReferenceRule["link"]): Omit<RuleAbout, "reads"> {
  if (strength === "weak") return { relation, strength, weakWhere: null }
  const { weakWhere, strongUpTo, strongUpToInAll, strongTogether } = link
  const reasons = [
    ...(weakWhere === undefined ? [] : [weakWhere]),
    ...(strongUpTo === undefined ? [] : [`where one field names more than ${strongUpTo}`]),
    ...(strongTogether === undefined
      ? []
      : [`where such names in all fields together are more than ${strongTogether.upTo}`]),
    ...(strongUpToInAll === undefined ? [] : [`where all fields together name more than ${strongUpToInAll}`]),
  ]
  return { relation, strength: "strong", weakWhere: reasons.length === 0 ? null : reasons.join(", or ") }
}

function fits(reference: SubjectReference, when: ReferenceRule["when"], input: RuleInput): boolean {
  if (reference.subject === null) return false
  return (
    has(when.relation, reference.relation) &&
    has(when.field, reference.evidence.field) &&
    has(when.subject, entityKind(reference.subject)) &&
    has(when.entity, entityKind(reference.entity)) &&
    (when.also?.(reference, input) ?? true)
  )
}

function has(wanted: readonly string[] | undefined, value: string): boolean {
  return wanted === undefined || wanted.includes(value)
}

/** How many things each document names, apart by what `part` says. */
function countTargets(
  references: readonly SubjectReference[],
  part: (reference: SubjectReference) => string,
): (reference: SubjectReference) => number {
  const named = new Map<string, Set<string>>()
  const place = (reference: SubjectReference) =>
    `${reference.subject}\n${reference.document}\n${part(reference)}`
  for (const reference of references) {
    const targets = named.get(place(reference)) ?? new Set()
    named.set(place(reference), targets.add(reference.entity))
  }
  return (reference) => named.get(place(reference))?.size ?? 0
}
