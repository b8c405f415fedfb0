import { SignalboxError } from "../../core/errors.ts"
import { shortName, type Status } from "../../live/status.ts"
import { asOfOption, asOfQuery } from "../as-of.ts"
import type { Command } from "../command.ts"
import { entityUsage, keyOf } from "../entity.ts"
import { oneLine } from "../one-line.ts"
import { remoteOptions, remoteUsage, requestHub } from "../remote.ts"

/** `signalbox status`: asks a running hub how something stands, and where it is live. */
export const statusCommand: Command = {
  name: "status",
  summary: "Say how an issue, a pull request, a commit or a deployment stands, and where it is live",
  usage: `${entityUsage} [--as-of TIME] ${remoteUsage}`,
  options: { ...remoteOptions, ...asOfOption },
  async run(context) {
    const { positionals, options, json, out } = context
    const name = positionals[0]
    if (name === undefined) {
      throw new SignalboxError(
        "bad_request",
        "name an issue, a pull request, a commit or a deployment: status ENG-123",
      )
    }
    const query = asOfQuery(options)
    const key = await keyOf(context, name)
    const path = `/api/v1/entities/${encodeURIComponent(key)}/status`
    const response = await requestHub(context, query.size === 0 ? path : `${path}?${query.toString()}`)
    const text = await response.text()
    if (json) out(text)
    else for (const line of linesOf(JSON.parse(text))) out(line)
    return 0
  },
}

/** A status as JSON has it. */
type Told = Pick<Status, "entity" | "title" | "summary" | "pending" | "onlyMentionedBy"> & {
  live: {
    environment: string
    service: string | null
    since: string
    deployment: string
    sha: string | null
  }[]
  pullRequests: { entity: string; state: string | null; revertedBy: string | null }[]
}

function* linesOf(status: Told): Generator<string> {
  const { entity, title, summary, live, pending, pullRequests, onlyMentionedBy } = status
  yield `${entity}${title === null ? "" : `  ${oneLine(title)}`}`
  yield summary
  for (const { environment, service, since, deployment, sha } of live) {
    const commit = sha === null ? "" : ` (${sha.slice(0, 10)})`
    yield `  live in ${placeOf(environment, service)} since ${since} by ${deployment}${commit}`
  }
  for (const { environment, service, reason } of pending) {
    yield `  not in ${placeOf(environment, service)}: ${reason}`
  }
  for (const one of pullRequests) {
    const reverted = one.revertedBy === null ? "" : `, reverted by ${shortName(one.revertedBy)}`
    yield `  ${one.entity}: ${one.state ?? "unknown"}${reverted}`
  }
  if (onlyMentionedBy !== undefined) yield `  ${hearsayOf(onlyMentionedBy)}`
}

const mostNamed = 3

function hearsayOf(mentioning: readonly string[]): string {
  const names = mentioning.slice(0, mostNamed).map(shortName)
  const rest = mentioning.length - names.length
  const all = [...names, ...(rest > 0 ? [`${rest} more`] : [])]
  const who =
    all.length > 1
      ? `${all.slice(0, -1).join(", ")} and ${all.at(-1)} mention`
      : `${all[0] ?? "an event"} mentions`
  return `known only because ${who} it: no event of its own has been heard`
}

function placeOf(environment: string, service: string | null): string {
  return service === null ? environment : `${environment} of ${service}`
}
