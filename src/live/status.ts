import type { DeploymentState } from "../store/deployment-tracks.ts"

/** Where something is live: one environment of one service. */
export interface LiveIn {
  environment: string
  /** Project, or else repository; null where its deployments name neither. */
  service: string | null
  /** `production`, `staging`, `preview`, … */
  kind: string
  /** When it went live there, and has been since. */
  since: Date
  /** The deployment that brought it. */
  deployment: string
  /** Commit that was deployed. */
  sha: string | null
  /** Tag that was deployed; absent where it was no tag. */
  version?: string
  url?: string
}

/** Where something is not known to be live, and why. */
export interface PendingIn {
  environment: string
  service: string | null
  kind: string
  reason: string
}

export interface PullRequestStatus {
  entity: string
  title: string | null
  /** `open`, `closed`, `merged`; null where it is not known. */
  state: string | null
  merged: boolean
  mergedAt: Date | null
  mergeCommit: string | null
  /** What reverts it, unless that is reverted itself. */
  revertedBy: string | null
  live: LiveIn[]
}

/** How an issue, a pull request, a commit or a deployment stands, and where it is live. */
export interface Status {
  entity: string
  title: string | null
  /** In the words of its platform, in lower case; null where it is not known. */
  state: string | null
  live: LiveIn[]
  pending: PendingIn[]
  pullRequests: PullRequestStatus[]
  /** Where a deployment brought more pull requests than are named; else absent. */
  truncated?: true
  /** What mentions it, where that is all that is known of it: no event of its own was received. Else absent. */
  onlyMentionedBy?: string[]
  /** When it was first heard of, where that was only after the time asked about; else absent. */
  firstHeardAt?: Date
  /** One line for people. */
  summary: string
}

/** A state of a track as that where something is live. */
export function liveIn(state: DeploymentState, kind: string): LiveIn {
  const version = versionOf(state.ref)
  return {
    environment: state.environment,
    service: state.service === "" ? null : state.service,
    kind,
    since: state.at,
    deployment: state.deployment,
    sha: state.sha,
    ...(version === null ? {} : { version }),
    ...(state.url === null ? {} : { url: state.url }),
  }
}

/** A tag by its full name, or by what versions look like. */
function versionOf(ref: string | null): string | null {
  if (ref === null) return null
  if (ref.startsWith("refs/tags/")) return ref.slice("refs/tags/".length)
  return /^v?\d+(?:\.\d+)+(?:[-+][\w.+-]+)?$/.test(ref) ? ref : null
}

/** `acme/api#42`, `ENG-123`, the first digits of a commit: a key as people say it. */
export function shortName(key: string): string {
  const commit = /^github:commit:([0-9a-f]{10})/.exec(key)?.[1]
  if (commit !== undefined) return `commit ${commit}`
  return /^(?:github:(?:pull_request|issue)|linear:issue):(.+)$/.exec(key)?.[1] ?? key
}

/** A time to the second, where it has no more. */
export function shortTime(at: Date): string {
  return at.toISOString().replace(".000Z", "Z")
}

/** That nothing was known of a thing at the time asked about, whatever is known of it now. */
export function unheardInWords(asOf: Date, firstHeardAt: Date): string {
  return `it was not known at ${shortTime(asOf)}: first heard of at ${shortTime(firstHeardAt)}`
}
