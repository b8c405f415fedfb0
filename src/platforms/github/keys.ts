import { entityKey } from "../../core/entity-key.ts"
import { at, count, id, text } from "./read.ts"

const fullName = /^[\w.-]{1,100}\/[\w.-]{1,100}$/
const objectName = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/i
const noObject = /^0+$/
// git-check-ref-format(1): no space, control character, or any of these.
const refName = /^[^\s\p{C}~^:?*[\\]{1,255}$/u

/** The repository of the event, `owner/name` in lower case; null for the events that have none. */
export function repositoryOf(payload: unknown): string | null {
  return repositoryName(at(payload, "repository.full_name"))
}

/** A full repository name in lower case, or null where the value is not one. */
export function repositoryName(value: unknown): string | null {
  return typeof value === "string" && fullName.test(value) ? value.toLowerCase() : null
}

const apiPath = /\/repos\/([\w.-]{1,100}\/[\w.-]{1,100})(?:\/(?:pulls|issues)\/([1-9]\d{0,14}))?$/

/** Repository, and number if any, behind an address of the REST API. */
export function fromApiUrl(value: unknown): { repository: string; number: number | null } | null {
  const match = typeof value === "string" ? apiPath.exec(value) : null
  const repository = repositoryName(match?.[1])
  if (repository === null) return null
  return { repository, number: match?.[2] === undefined ? null : Number(match[2]) }
}

/** The commit of a full SHA; null for abbreviations and for the all-zero SHA of a ref that is gone. */
export function commitKey(sha: unknown): string | null {
  return typeof sha === "string" && objectName.test(sha) && !noObject.test(sha)
    ? entityKey.githubCommit(sha)
    : null
}

/** The branch of that name; null where git would not allow the name. */
export function branchKey(repository: string | null, name: unknown): string | null {
  return repository !== null && typeof name === "string" && refName.test(name)
    ? entityKey.githubBranch(repository, name)
    : null
}

/** The tag of that name; null where git would not allow the name. */
export function tagKey(repository: string | null, name: unknown): string | null {
  return repository !== null && typeof name === "string" && refName.test(name)
    ? `github:tag:${repository}@${name}`
    : null
}

/** The branch or tag of a full ref (`refs/heads/main`, `refs/tags/v1`). */
export function refKey(repository: string | null, ref: unknown): string | null {
  if (typeof ref !== "string") return null
  if (ref.startsWith("refs/heads/")) return branchKey(repository, ref.slice("refs/heads/".length))
  if (ref.startsWith("refs/tags/")) return tagKey(repository, ref.slice("refs/tags/".length))
  return null
}

const longLived = new Set([
  "main",
  "master",
  "trunk",
  "develop",
  "development",
  "dev",
  "staging",
  "production",
])

/**
 * Whether everything ends up on this branch sooner or later. Belonging to such a branch says nothing
 * about what belongs together, so no link is made of it.
 */
export function isTrunk(name: string, defaultBranch: unknown): boolean {
  return name === defaultBranch || longLived.has(name) || name.startsWith("gh-readonly-queue/")
}

/** Reads an entity key from a body; null where the body does not have what it takes. */
export type KeyReader = (payload: unknown) => string | null

/** `github:<kind>:<repository>#<number>`. */
export function numbered(kind: string, path: string): KeyReader {
  return (payload) => {
    const repository = repositoryOf(payload)
    const number = count(payload, path)
    return repository === null || number === null ? null : `github:${kind}:${repository}#${number}`
  }
}

/** `github:<kind>:<repository>/<id>`. */
export function identified(kind: string, path: string): KeyReader {
  return (payload) => {
    const repository = repositoryOf(payload)
    const found = id(payload, path)?.toLowerCase()
    return repository === null || found === undefined ? null : `github:${kind}:${repository}/${found}`
  }
}

/** `github:<kind>:<id>`, for what belongs to no repository. */
export function global(kind: string, path: string): KeyReader {
  return (payload) => {
    const found = id(payload, path)?.toLowerCase()
    return found === undefined ? null : `github:${kind}:${found}`
  }
}

/**
 * `github:<kind>_id:<id of the repository>#<number>`: a key by number that outlives the renaming and the
 * transfer of its repository.
 */
export function numberedById(kind: string, path: string): KeyReader {
  return (payload) => {
    const repositoryId = id(payload, "repository.id")?.toLowerCase() ?? null
    const number = count(payload, path)
    return repositoryId === null || number === null ? null : `github:${kind}_id:${repositoryId}#${number}`
  }
}

/** `github:branch_id:<id of the repository>@<name>`, the same for a branch. */
export function branchIdKey(repositoryId: string | null, name: unknown): string | null {
  return repositoryId !== null && typeof name === "string" && refName.test(name)
    ? `github:branch_id:${repositoryId.toLowerCase()}@${name}`
    : null
}

/** The first of several that the body has. */
export function firstKey(...readers: KeyReader[]): KeyReader {
  return (payload) => {
    for (const read of readers) {
      const key = read(payload)
      if (key !== null) return key
    }
    return null
  }
}

export const pullRequest = numbered("pull_request", "pull_request.number")
export const issue = numbered("issue", "issue.number")
export const pullRequestById = numberedById("pull_request", "pull_request.number")
export const issueById = numberedById("issue", "issue.number")
export const repositoryById = global("repository_id", "repository.id")
export const organizationById = global("organization_id", "organization.id")
export const repository: KeyReader = (payload) => {
  const name = repositoryOf(payload)
  return name === null ? null : entityKey.githubRepository(name)
}
export const organization: KeyReader = (payload) => {
  const login = text(payload, "organization.login")
  return login !== null && /^[\w.-]{1,100}$/.test(login) ? `github:organization:${login.toLowerCase()}` : null
}
export const installation = global("installation", "installation.id")
/** GitHub's own deployments share their namespace with those of other providers. */
export const deployment: KeyReader = (payload) => {
  const found = id(payload, "deployment.id")
  return found === null ? null : entityKey.deployment(`github/${found}`)
}
/** What is left where nothing more particular is known. */
export const surroundings = firstKey(repository, organization, installation)
