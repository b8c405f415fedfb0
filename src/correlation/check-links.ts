import { canonicalEntityKey } from "../core/entity-key.ts"
import type { Evidence, Link } from "../core/envelope.ts"
import { unknownNames } from "../core/nearest-name.ts"
import { readableEvidence, relationForm } from "./references.ts"
import type { ProposedLink, Rule, RuleInput } from "./rule.ts"

const maxLinksOfRule = 200

/**
 * The links a rule makes of an event, whole. Throws with what is wrong where the rule itself throws,
 * or where what it answers is no list of links: half an answer would be a graph nobody described.
 */
export function linksOfRule(rule: Rule, input: RuleInput, maxLinks = maxLinksOfRule): Link[] {
  const proposed: unknown = rule.find(input)
  try {
    return checkLinks(proposed, rule, input, maxLinks)
  } catch (error) {
    disownPromises(proposed)
    throw error
  }
}

function checkLinks(proposed: unknown, rule: Rule, input: RuleInput, maxLinks: number): Link[] {
  if (!Array.isArray(proposed)) {
    throw new TypeError("find must return an array of links (and not a promise of one)")
  }
  if (proposed.length > maxLinks) {
    throw new RangeError(`find returned ${proposed.length} links of one event; at most ${maxLinks} are taken`)
  }
  return proposed.map((link: unknown, index) => {
    if (typeof link !== "object" || link === null) throw wrong(index, "is not an object")
    return checkLink(rule, input, link, index)
  })
}

/** Nobody waits for what an asynchronous rule answers: were it to fail unheard, that would end the process. */
function disownPromises(answer: unknown): void {
  const links: unknown[] = Array.isArray(answer) ? answer : []
  for (const value of [answer, ...links, ...links.flatMap((link) => Object.values(link ?? {}))]) {
    if (value instanceof Object && "then" in value) void Promise.resolve(value).catch(() => {})
  }
}

function checkLink(rule: Rule, input: RuleInput, link: object, index: number): Link {
  const { event, normalized } = input
  const fields: Record<string, unknown> = { ...link }
  checkMembers(fields, members, "", index)
  if ((fields.from ?? normalized.entity) === null) {
    throw wrong(index, "has no from, and the event is about no entity")
  }
  const from = checkKey(fields.from ?? normalized.entity, "from", index)
  const to = checkKey(fields.to, "to", index)
  const { relation, strength = "weak", confidence = 1 } = fields
  if (from === to) throw wrong(index, `links ${from} to itself`)
  if (typeof relation !== "string" || !relationForm.test(relation)) {
    throw wrong(index, "relation must be lower snake case, at most 63 characters")
  }
  if (strength !== "strong" && strength !== "weak") throw wrong(index, 'strength must be "strong" or "weak"')
  if (typeof confidence !== "number" || !(confidence >= 0 && confidence <= 1)) {
    throw wrong(index, "confidence must be a number from 0 to 1")
  }
  const evidence = checkEvidence(fields.evidence ?? { field: "type", text: event.type }, index)
  const document =
    fields.document === undefined ? documentOf(evidence, input) : checkKey(fields.document, "document", index)
  return {
    from,
    to,
    relation,
    rule: rule.name,
    ruleVersion: rule.version,
    strength,
    confidence,
    evidence: readableEvidence(evidence),
    ...(document === null ? {} : { document }),
  }
}

/**
 * Whose field the evidence is, where a rule does not say: that of the reference it was taken from; else what
 * the event is about, or the one thing of the event, if the event says how that field of it stands.
 */
function documentOf({ field, text, start }: Evidence, { references, normalized }: RuleInput): string | null {
  const reference = references.find(
    ({ evidence }) => evidence.field === field && evidence.text === text && evidence.start === start,
  )
  if (reference !== undefined) return reference.document
  const things = (normalized.states ?? []).flatMap(({ entity, fields }) =>
    Object.hasOwn(fields, field) ? (canonicalEntityKey(entity) ?? []) : [],
  )
  const own = normalized.entity === null ? null : canonicalEntityKey(normalized.entity)
  if (own !== null && things.includes(own)) return own
  return new Set(things).size === 1 ? (things[0] ?? null) : null
}

function checkKey(value: unknown, end: string, index: number): string {
  const key = typeof value === "string" ? canonicalEntityKey(value) : null
  if (key === null) throw wrong(index, `${end} is not an entity key such as linear:issue:ENG-123`)
  return key
}

function checkEvidence(value: unknown, index: number): Evidence {
  const isObject = typeof value === "object" && value !== null
  const fields: Record<string, unknown> = isObject ? { ...value } : {}
  checkMembers(fields, membersOfEvidence, "evidence: ", index)
  const { field, text, start, end } = fields
  if (typeof field !== "string" || typeof text !== "string") {
    throw wrong(index, "evidence must have a field and a text")
  }
  if (start === undefined && end === undefined) return { field, text }
  if (!isOffset(start) || !isOffset(end) || end - start !== text.length) {
    throw wrong(index, "the offsets of its evidence must span its text")
  }
  return { field, text, start, end }
}

const members = Object.keys({
  from: true,
  to: true,
  relation: true,
  strength: true,
  confidence: true,
  evidence: true,
  document: true,
} satisfies Record<keyof ProposedLink, true>)
const membersOfEvidence = ["field", "text", "start", "end"]

/** What is misspelt would be taken for absent, and a strong link be a weak one. */
function checkMembers(given: object, known: readonly string[], where: string, index: number): void {
  const unknown = Object.keys(given).filter((name) => !known.includes(name))
  if (unknown.length > 0) throw wrong(index, `is wrong: ${where}${unknownNames("member", unknown, known)}`)
}

function isOffset(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
}

function wrong(index: number, reason: string): TypeError {
  return new TypeError(`link ${index} ${reason}`)
}
