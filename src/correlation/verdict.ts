import type { Explanation, ExplainedLink, Finding } from "../core/explanation.ts"

/** The verdict in a sentence. */
export function summarize({
  from,
  to,
  verdict,
  links,
  path,
}: Pick<Explanation, "from" | "to" | "verdict" | "links" | "path">): string {
  const first = links[0]
  switch (verdict) {
    case "linked":
      return `${from} and ${to} are linked: ${sentence(first)}`
    case "linked_over_others":
      return `${from} and ${to} are linked over others, by ${path?.length ?? 0} strong links`
    case "shown_only":
      return `${from} and ${to} are shown at each other and join no timeline: ${sentence(first)}`
    case "withdrawn":
      return `${from} and ${to} were linked and are no more: ${sentence(first)}`
    default:
      return `${from} and ${to} are not linked`
  }
}

function sentence(link: ExplainedLink | undefined): string {
  if (link === undefined) return "by a link"
  const { from, relation, to, rule, ruleVersion, evidence, event } = link
  const since =
    link.withdrawnBy === null ? "" : `, until ${link.withdrawnBy.type || "an event"} said otherwise`
  return `${from} ${relation} ${to} by rule ${rule} (version ${ruleVersion}), as ${JSON.stringify(evidence.text)} in the ${evidence.field} shows in ${event.type || "an event"}${since}`
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
  "past_the_end",
  "not_recognized",
]

/** What came closest to a strong link, of all that was found; null where nothing did. */
export function nearestMiss(
  links: readonly ExplainedLink[],
  findings: readonly Finding[],
  references: Explanation["references"],
  common: Finding | null,
): Finding | null {
  for (const kind of nearest) {
    const found = findings.find((finding) => finding.kind === kind)
    if (found !== undefined) return found
  }
  const weak = links.find(({ known, strength }) => known?.to === null && strength === "weak")
  if (weak !== undefined) {
    const { rule, evidence, event } = weak
    const detail = `rule ${rule} makes only a weak link of ${JSON.stringify(evidence.text)} in the ${evidence.field}`
    return { kind: "weak", detail, eventId: event.id, ...evidence }
  }
  const reference = references[0]
  if (reference !== undefined) {
    const { subject, relation, entity, evidence, eventId } = reference
    const detail = `${subject ?? "the event"} ${relation} ${entity}, and no rule makes a link of that`
    return { kind: "no_rule", detail, eventId, ...evidence }
  }
  return common
}
