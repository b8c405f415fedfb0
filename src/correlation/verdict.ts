import { shownBy, type Explanation, type ExplainedLink, type Finding } from "../core/explanation.ts"
import type { Advice } from "./advice.ts"
import { builtInRules } from "./rules/index.ts"

/** The verdict in a sentence. */
export function summarize({
  from,
  to,
  asOf,
  verdict,
  links,
  path,
  unheard,
}: Pick<Explanation, "from" | "to" | "asOf" | "verdict" | "links" | "path" | "unheard">): string {
  const first = links[0]
  switch (verdict) {
    case "linked":
      return `${from} and ${to} are linked: ${sentence(first)}`
    case "linked_over_others":
      return `${from} and ${to} are linked over others, by ${path?.length ?? 0} strong links`
    case "shown_only":
      return `${from} and ${to} have only a weak link, so neither is in the other's timeline: ${sentence(first)}`
    case "withdrawn":
      return `${from} and ${to} were linked and are no more: ${sentence(first)}`
    default:
      return unheard.length === 0
        ? `${from} and ${to} are not linked`
        : `${from} and ${to} are not linked: ${unheard.map((one) => nothingOf(one, asOf)).join("; ")}`
  }
}

function nothingOf({ entity, firstHeard }: Explanation["unheard"][number], asOf: string | null): string {
  if (asOf === null) return `nothing is known of ${entity}`
  return firstHeard === null
    ? `nothing was known of ${entity} by then, nor is anything now`
    : `nothing was known of ${entity} by then; first heard of at ${firstHeard}`
}

function sentence(link: ExplainedLink | undefined): string {
  if (link === undefined) return "by a link"
  const { from, relation, to, rule, ruleVersion, evidence, event } = link
  const since =
    link.withdrawnBy === null ? "" : `, until ${link.withdrawnBy.type || "an event"} said otherwise`
  return `${from} ${relation} ${to} by rule ${rule} (version ${ruleVersion}), ${shownBy(evidence, event.type)}${since}`
}

const nearest: readonly Finding["kind"][] = [
  "outdated",
  "rule_failed",
  "listed",
  "edited",
  "deleted",
  "skip_word",
  "quoted",
  "lower_case",
  "joined",
  "unknown_team",
  "reserved_key",
  "past_the_end",
  "not_recognized",
]

/** What came closest to a strong link, of all that was found; null where nothing did. */
export function nearestMiss(
  links: readonly ExplainedLink[],
  findings: readonly Finding[],
  {
    references,
    standing,
    advice,
  }: {
    references: Explanation["references"]
    /** What speaks of the things around the two: a link between those that was withdrawn, a ground of both. */
    standing: Finding | null
    /** What would make a strong link of the weak one; null where nothing is known to. */
    advice: Advice | null
  },
): Finding | null {
  for (const kind of nearest) {
    const found = findings.find((finding) => finding.kind === kind)
    if (found !== undefined) return found
  }
  const weak = links.find(({ known, strength }) => known?.to === null && strength === "weak")
  if (weak !== undefined) {
    const { rule, evidence, event } = weak
    const helps = builtInRules.some(({ name }) => name === rule)
      ? sentenceOf(advice)
      : '; a rule of your own makes strong ones where it answers strength: "strong"'
    const detail = `the rule ${rule} makes a weak link of this, ${shownBy(evidence, event.type)}${helps}`
    return { kind: "weak", detail, eventId: event.id, ...evidence }
  }
  const reference = references[0]
  if (reference !== undefined) {
    const { subject, relation, entity, evidence, eventId } = reference
    const detail = `${subject ?? "the event"} ${relation} ${entity}, and no rule makes a link of that`
    return { kind: "no_rule", detail, eventId, ...evidence }
  }
  return standing
}

/** A list with what makes a strong link all the same. */
export function withAdvice(finding: Finding, advice: Advice | null): Finding {
  if (finding.kind !== "listed" || advice === null || advice.way === null) return finding
  return { ...finding, detail: finding.detail + sentenceOf({ ...advice, reason: null }) }
}

function sentenceOf(advice: Advice | null): string {
  if (advice === null) return ""
  const { way, reason } = advice
  if (way === null) return reason === null ? "" : `; no wording makes a strong one: ${reason}`
  return `; for a strong one ${way}${reason === null ? "" : ` (closing words make none: ${reason})`}`
}
