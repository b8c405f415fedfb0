import { canonicalEntityKey, entityKey } from "../../core/entity-key.ts"
import { SignalboxError } from "../../core/errors.ts"
import type { Status } from "../../live/status.ts"
import { textOption, type Command } from "../command.ts"
import { remoteOptions, remoteUsage, requestHub } from "../remote.ts"

/** `signalbox status`: asks a running hub how something stands, and where it is live. */
export const statusCommand: Command = {
  name: "status",
  summary: "Say how an issue, a pull request, a commit or a deployment stands, and where it is live",
  usage: `ENG-123|acme/api#42|SHA|KEY [--as-of TIME] ${remoteUsage}`,
  options: { ...remoteOptions, "as-of": { type: "string" } },
  async run(context) {
    const { positionals, options, json, out } = context
    const key = keyOf(positionals[0] ?? "")
    if (key === null) {
      throw new SignalboxError(
        "bad_request",
        "name an issue, a pull request, a commit or a key: status ENG-123",
      )
    }
    const asOf = textOption(options, "as-of")
    const query = asOf === undefined ? "" : `?${new URLSearchParams({ asOf }).toString()}`
    const response = await requestHub(context, `/api/v1/entities/${encodeURIComponent(key)}/status${query}`)
    const text = await response.text()
    if (json) out(text)
    else for (const line of linesOf(JSON.parse(text))) out(line)
    return 0
  },
}

/** The key that people mean by `ENG-123`, `acme/api#42` or a whole SHA; null where it is none of these and no key. */
function keyOf(text: string): string | null {
  if (/^[a-z][a-z0-9]*-\d+$/i.test(text)) return entityKey.linearIssue(text)
  const [, repository, number] = /^([\w.-]+\/[\w.-]+)#(\d+)$/.exec(text) ?? []
  if (repository !== undefined && number !== undefined) return entityKey.githubPullRequest(repository, number)
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i.test(text)) return entityKey.githubCommit(text)
  return canonicalEntityKey(text)
}

/** A status as JSON has it. */
type Told = Pick<Status, "entity" | "title" | "summary" | "pending"> & {
  live: {
    environment: string
    service: string | null
    since: string
    deployment: string
    sha: string | null
  }[]
  pullRequests: { entity: string; state: string | null }[]
}

function* linesOf({ entity, title, summary, live, pending, pullRequests }: Told): Generator<string> {
  yield `${entity}${title === null ? "" : `  ${title}`}`
  yield summary
  for (const { environment, service, since, deployment, sha } of live) {
    const commit = sha === null ? "" : ` (${sha.slice(0, 10)})`
    yield `  live in ${placeOf(environment, service)} since ${since} by ${deployment}${commit}`
  }
  for (const { environment, service, reason } of pending) {
    yield `  not in ${placeOf(environment, service)}: ${reason}`
  }
  for (const one of pullRequests) yield `  ${one.entity}: ${one.state ?? "unknown"}`
}

function placeOf(environment: string, service: string | null): string {
  return service === null ? environment : `${environment} of ${service}`
}
