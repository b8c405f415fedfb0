import { entityKind } from "../core/entity-key.ts"
import { shownBy, type Explanation, type ExplainedLink, type Finding } from "../core/explanation.ts"
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

/**
 * What came closest to a strong link, of all that was found; null where nothing did. `standing` is what speaks of
 * the things around the two: a link between those that was withdrawn, a ground that both stand on.
 */
export function nearestMiss(
  links: readonly ExplainedLink[],
  findings: readonly Finding[],
  references: Explanation["references"],
  standing: Finding | null,
): Finding | null {
  for (const kind of nearest) {
    const found = findings.find((finding) => finding.kind === kind)
    if (found !== undefined) return found
  }
  const weak = links.find(({ known, strength }) => known?.to === null && strength === "weak")
  if (weak !== undefined) {
    const { rule, evidence, event } = weak
    const detail = `the rule ${rule} makes a weak link of this, ${shownBy(evidence, event.type)}${advice(weak)}`
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

/** What would make a strong link of a weak one; nothing where that is not known. */
function advice({ from, to, relation, rule }: ExplainedLink): string {
  if (!builtInRules.some(({ name }) => name === rule)) {
    return '; a rule of your own makes strong ones where it answers strength: "strong"'
  }
  if (rule !== "mention" || relation !== "mentions") return ""
  const id = to.slice(entityKind(to).length + 1)
  const ends = `${entityKind(from)} ${entityKind(to)}`
  switch (ends) {
    case "github:pull_request linear:issue":
      return `; for a strong one write \`Fixes ${id}\`, or put it into the title or the branch`
    case "github:pull_request github:issue":
      return `; for a strong one write \`Fixes ${numberWithin(from, id)}\``
    case "github:commit linear:issue":
      return `; for a strong one write \`Fixes ${id}\` in the commit's message`
    default:
      return from.startsWith("slack:message:") ? "; for a strong one post its address" : ""
  }
}

/** `#42` of `acme/api#42`, where what refers to it is of that repository. */
function numberWithin(from: string, id: string): string {
  const at = id.lastIndexOf("#")
  return from.startsWith(`github:pull_request:${id.slice(0, at)}#`) ? id.slice(at) : id
}
