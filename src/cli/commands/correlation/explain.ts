import { SignalboxError } from "../../../core/errors.ts"
import { shownBy, type Explanation, type ExplainedLink } from "../../../core/explanation.ts"
import { asOfOption, asOfQuery } from "../../as-of.ts"
import type { Command } from "../../command.ts"
import { entityUsage, keyOf } from "../../entity.ts"
import { remoteOptions, remoteUsage, requestHub } from "../../remote.ts"

/** `signalbox explain`: asks a running hub why two entities are linked, or why not. */
export const explainCommand: Command = {
  name: "explain",
  summary: "Say why two entities are linked, or why not",
  usage: `FROM TO [--as-of TIME] ${remoteUsage}; each of the two is ${entityUsage}`,
  options: { ...remoteOptions, ...asOfOption },
  async run(context) {
    const { positionals, options, json, out } = context
    const [one, other] = positionals
    if (one === undefined || other === undefined) {
      throw new SignalboxError("bad_request", "name two entities: explain 'acme/api#42' ENG-123")
    }
    const query = asOfQuery(options)
    const from = await keyOf(context, one)
    const to = await keyOf(context, other)
    query.set("from", from)
    query.set("to", to)
    const response = await requestHub(context, `/api/v1/links/explain?${query.toString()}`)
    const text = await response.text()
    if (json) out(text)
    else for (const line of sentences(readExplanation(text, response))) out(line)
    return 0
  },
}

function readExplanation(text: string, { url }: Response): Explanation {
  try {
    const answer: Explanation = JSON.parse(text)
    if (Array.isArray(answer.links) && typeof answer.summary === "string") return answer
  } catch {
    // said below
  }
  const { origin } = new URL(url)
  throw new SignalboxError(
    "unavailable",
    `what answers at ${origin} is no signalbox: name the hub with --url`,
  )
}

function* sentences(explanation: Explanation): Generator<string> {
  const { asOf, summary, aliases, links, path, counterEvidence, references, nearMiss, examined } = explanation
  yield `${summary}.`
  if (asOf !== null) yield `That is what was known at ${asOf}.`
  for (const [end, keys] of Object.entries(aliases)) {
    if (keys.length > 0)
      yield `The ${end === "from" ? "first" : "second"} is known as ${keys.join(", ")} too.`
  }
  if (links.length > 0) yield "Evidence:"
  const renewed = links.filter(({ renewedBy }) => renewedBy !== null)
  for (const link of links) if (link.renewedBy === null) yield `  ${evidence(link)}`
  if (renewed.length > 0) yield `  and ${renewed.length} earlier, each until a later event showed it again`
  if (path !== null && path.length > 1) {
    yield "The way over strong links:"
    for (const { from, relation, to, rule } of path) yield `  ${from} ${relation} ${to} (${rule})`
  }
  if (nearMiss !== null) yield `Closest: ${nearMiss.detail}.`
  const against = counterEvidence.filter(({ detail }) => detail !== nearMiss?.detail)
  if (against.length > 0) yield "What speaks against it:"
  for (const { detail } of against) yield `  ${detail}`
  if (references.length > 0) yield "References of which no rule made a link:"
  for (const { subject, relation, entity, evidence: shown } of references) {
    yield `  ${subject ?? "the event"} ${relation} ${entity} (${JSON.stringify(shown.text)} in the ${shown.field})`
  }
  if (examined.events > 0) yield readAnew(examined)
  const notRead = examined.notRead?.length ?? 0
  if (notRead > 0) {
    const [which, name] = notRead === 1 ? ["one event", "it names"] : [`${notRead} events`, "they name"]
    yield `There was no time to read ${which} of the two anew: what else ${name} is not told.`
  }
}

function readAnew({ events, complete }: Explanation["examined"]): string {
  const [which, were] = events === 1 ? ["one event", "was"] : [`${events} events`, "were"]
  if (!complete) return `The newest ${which} of the two ${were} read anew; there are more.`
  return `${events === 1 ? "The" : "All"} ${which} of the two ${were} read anew.`
}

function evidence({ from, relation, to, rule, ruleVersion, strength, ...link }: ExplainedLink): string {
  const { confidence, evidence: shown, event, known, firstKnown, withdrawnBy } = link
  const words = shownBy(shown, `${event.type || "an event"} (${event.id})`)
  const span = shown.start === undefined ? "" : ` at ${shown.start}–${shown.end}`
  const earlier = firstKnown === null || firstKnown === known?.from ? "" : `, first shown at ${firstKnown}`
  const made = `${from} ${relation} ${to}: ${strength}, ${confidence}, by ${rule} (version ${ruleVersion})`
  const since =
    known === null
      ? "never known, since a later state had come before"
      : `known since ${known.from}${earlier}${known.to === null ? "" : ` and until ${known.to}`}`
  const ended =
    withdrawnBy === null
      ? ""
      : `; withdrawn by ${withdrawnBy.type} of ${withdrawnBy.occurredAt} (${withdrawnBy.id})`
  return `${made}; ${words}${span}; ${since}${ended}`
}
