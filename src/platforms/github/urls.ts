import { entityKey } from "../../core/entity-key.ts"
import { branchKey, commitKey, isTrunk, repositoryName, tagKey } from "./keys.ts"

// github.com/orgs/acme/discussions/5 has the form of a repository's address and is none.
const notOwners = new Set(["orgs", "enterprises", "users", "apps", "settings", "marketplace", "sponsors"])

type Read = (repository: string, rest: readonly string[]) => string | null

const kinds: ReadonlyMap<string, Read> = new Map<string, Read>([
  ["pull", (repository, [number]) => numberOr(number, (n) => entityKey.githubPullRequest(repository, n))],
  // GitHub forwards the number of a pull request from here; its events say that both keys are one.
  ["issues", (repository, [number]) => numberOr(number, (n) => entityKey.githubIssue(repository, n))],
  ["discussions", (repository, [number]) => numberOr(number, (n) => `github:discussion:${repository}#${n}`)],
  ["milestone", (repository, [number]) => numberOr(number, (n) => `github:milestone:${repository}#${n}`)],
  ["commit", (_repository, [sha]) => commitKey(withoutEnding(sha))],
  ["tree", treeKey],
  ["releases", (repository, [kind, ...tag]) => (kind === "tag" ? tagKey(repository, tag.join("/")) : null)],
  ["actions", (repository, [kind, id]) => (kind === "runs" ? runKey("workflow_run", repository, id) : null)],
  ["runs", (repository, [id]) => runKey("check_run", repository, id)],
])

/**
 * The entity behind an address on github.com; fragments, tabs and files within it are left aside.
 * Addresses of an Enterprise Server on a host of its own are not known for what they are.
 */
export function entityFromUrl(url: URL): string | null {
  if (!/^https?:$/.test(url.protocol) || !/^(?:www\.)?github\.com$/.test(url.hostname)) return null
  const segments = decoded(url.pathname)
  if (segments === null) return null
  const [owner, name, kind, ...rest] = segments
  const repository = repositoryName(`${owner}/${name}`)
  if (repository === null || kind === undefined || notOwners.has(owner ?? "")) return null
  return kinds.get(kind)?.(repository, rest) ?? null
}

function decoded(path: string): string[] | null {
  try {
    return path
      .split("/")
      .slice(1)
      .map((segment) => decodeURIComponent(segment))
  } catch {
    return null // a stray percent sign
  }
}

function withoutEnding(segment: string | undefined): string | undefined {
  return segment?.replace(/\.(?:diff|patch)$/, "")
}

function numberOr(segment: string | undefined, build: (number: string) => string): string | null {
  const number = withoutEnding(segment) ?? ""
  return /^[1-9]\d{0,14}$/.test(number) ? build(number) : null
}

function runKey(kind: string, repository: string, id: string | undefined): string | null {
  return numberOr(id, (n) => `github:${kind}:${repository}/${n}`)
}

// Where the branch's name ends and a path begins cannot be told; branches with a path are rarely shared.
function treeKey(repository: string, rest: readonly string[]): string | null {
  const name = rest.join("/").replace(/\/$/, "")
  return commitKey(name) ?? (isTrunk(name, undefined) ? null : branchKey(repository, name))
}
