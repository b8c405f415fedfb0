import { maskKey } from "./mask.ts"

/**
 * Canonical entity keys, `platform:kind:id` (a deployment's is `deployment:<id>`). Repository
 * owners and names are case-insensitive at GitHub, and issue keys at Linear, so keys hold one case.
 */
export const entityKey = {
  githubPullRequest: (repository: string, number: number | string) =>
    `github:pull_request:${repository.toLowerCase()}#${number}`,
  githubIssue: (repository: string, number: number | string) =>
    `github:issue:${repository.toLowerCase()}#${number}`,
  githubCommit: (sha: string) => `github:commit:${sha.toLowerCase()}`,
  githubBranch: (repository: string, branch: string) => `github:branch:${repository.toLowerCase()}@${branch}`,
  githubRepository: (repository: string) => `github:repository:${repository.toLowerCase()}`,
  linearIssue: (identifier: string) => `linear:issue:${identifier.toUpperCase()}`,
  /** The issue by its UUID, which outlives a move between teams; the two keys are tied by `same_as`. */
  linearIssueId: (uuid: string) => `linear:issue_id:${uuid.toLowerCase()}`,
  slackMessage: (team: string, channel: string, ts: string) => `slack:message:${team}/${channel}/${ts}`,
  /** The thread that a message begins, by the message's key: the two have one id. */
  slackThread: (rootKey: string) => rootKey.replace(/^slack:message:/, "slack:thread:"),
  deployment: (id: string) => `deployment:${id}`,
} as const

/** `github:pull_request` for `github:pull_request:acme/api#42`; `deployment` for a deployment. */
export function entityKind(key: string): string {
  const [platform, kind] = key.split(":", 2)
  return platform === "deployment" || kind === undefined ? (platform ?? key) : `${platform}:${kind}`
}

const keyForm = /^([a-z][a-z0-9_]*):(?:([a-z][a-z0-9_]*):)?(\S(?:.*\S)?)$/isu
const uuidForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const identifierForm = /^[a-z0-9_]+-\d+$/i
const maxBytes = 1024

/** Platforms whose every key names a kind. */
const kinded: ReadonlySet<string> = new Set(["github", "linear", "slack"])

/**
 * A key as a user wrote it, in the one case that keys are stored in, and with digests in place of secrets (see
 * `maskKey`); null where it is no key (not `platform:id` or `platform:kind:id`, over 1,024 bytes, or with
 * characters that text columns refuse).
 */
export function canonicalEntityKey(key: string): string | null {
  const trimmed = key.trim()
  if (trimmed.length > maxBytes || !trimmed.isWellFormed() || /\p{Cc}/u.test(trimmed)) return null
  const written = inOneCase(trimmed)
  const masked = written === null ? null : maskKey(written)
  // A digest may stand where an `@` was, before which there is one case only.
  const canonical = masked === null || masked === written ? masked : inOneCase(masked)
  // A letter may take more bytes in the other case: `İ` has two, and three as a small one.
  return canonical !== null && Buffer.byteLength(canonical) <= maxBytes ? canonical : null
}

function inOneCase(key: string): string | null {
  const parts = keyForm.exec(key)
  if (parts === null) return null
  const [, first = "", kind, id = ""] = parts
  const platform = first.toLowerCase()
  // A deployment's id may hold a colon; it has no kind, and its case is the provider's.
  if (platform === "deployment") return entityKey.deployment(kind === undefined ? id : `${kind}:${id}`)
  if (kind === undefined) return kinded.has(platform) ? null : `${platform}:${id}`
  return `${platform}:${kind.toLowerCase()}:${canonicalId(platform, kind.toLowerCase(), id)}`
}

function canonicalId(platform: string, kind: string, id: string): string {
  if (platform === "github") return canonicalGithubId(id)
  if (platform !== "linear") return id
  if (kind === "issue") return identifierForm.test(id) ? id.toUpperCase() : id
  return uuidForm.test(id) ? id.toLowerCase() : id
}

/** Repositories, numbers and SHAs hold no case; what follows `@` (a branch, a tag) does. */
function canonicalGithubId(id: string): string {
  const at = id.indexOf("@")
  return at === -1 ? id.toLowerCase() : id.slice(0, at).toLowerCase() + id.slice(at)
}
