import { hash } from "node:crypto"
import { entityKey } from "../../core/entity-key.ts"
import type { MergedPullRequest, Push, PushedCommit } from "../../core/code-history.ts"
import { branchKey, commitKey, refKey, repositoryName, repositoryOf } from "./keys.ts"
import { at, count, list, text, time } from "./read.ts"

/** What a push did; null for every other event, and for a push that does not say when. */
export function pushOf(event: string, payload: unknown): Push | null {
  const repository = repositoryOf(payload)
  const ref = text(payload, "ref", 512)
  const when = time(payload, "repository.pushed_at")
  if (event !== "push" || repository === null || ref === null || when === null) return null
  if (refKey(repository, ref) === null) return null
  return {
    repository,
    ref,
    before: shaAt(payload, "before"),
    after: headOf(payload, ref),
    forced: at(payload, "forced") === true,
    at: when,
    commits: list(payload, "commits").flatMap(commitOf),
  }
}

// An annotated tag is an object of its own; what is deployed is the commit that it names.
function headOf(payload: unknown, ref: string): string | null {
  const after = shaAt(payload, "after")
  return after !== null && ref.startsWith("refs/tags/") ? (shaAt(payload, "head_commit.id") ?? after) : after
}

function commitOf(commit: unknown): PushedCommit[] {
  const sha = shaAt(commit, "id")
  return sha === null ? [] : [{ sha, likeness: likenessOf(commit) }]
}

/** The whole name of a commit; null where there is none, as of a ref that is gone. */
function shaAt(payload: unknown, path: string): string | null {
  const sha = at(payload, path)
  return commitKey(sha) === null ? null : String(sha).toLowerCase()
}

const pickedFrom = /^\(cherry picked from commit [0-9a-f]{40,64}\)$/gm

// "wip" is said too often to mean the same twice, and merges of one branch are all called alike. A commit
// that is picked or rebased keeps the author's date, where that is told, and mostly the files that it changes;
// where no files are told, the rest is too little.
function likenessOf(commit: unknown): string | null {
  const message = text(commit, "message", 65_536)?.replaceAll(pickedFrom, "").trim() ?? ""
  const author = text(commit, "author.email") ?? text(commit, "author.name")
  if (author === null || message.length < 10 || !/\s/.test(message) || message.startsWith("Merge "))
    return null
  const files = ["added", "removed", "modified"].flatMap((name) =>
    list(commit, name).flatMap((file) => (typeof file === "string" ? [`${name} ${file}`] : [])),
  )
  if (files.length === 0) return null
  const date = time(commit, "author.date")?.toISOString() ?? ""
  return hash("sha256", [author.toLowerCase(), date, ...files.toSorted(), message].join("\n")).slice(0, 32)
}

/** The merge of the pull request that an event carries, whatever the event is about; null where it is not merged. */
export function mergeOf(payload: unknown): MergedPullRequest | null {
  const repository = repositoryOf(payload)
  const number = count(payload, "pull_request.number")
  const sha = shaAt(payload, "pull_request.merge_commit_sha")
  const mergedAt = time(payload, "pull_request.merged_at")
  if (repository === null || number === null || sha === null || mergedAt === null) return null
  return {
    pullRequest: entityKey.githubPullRequest(repository, number),
    sha,
    mergedAt,
    head: shaAt(payload, "pull_request.head.sha"),
    headLine: lineAt(payload, "pull_request.head"),
    baseLine: lineAt(payload, "pull_request.base"),
  }
}

/** A branch of a pull request as pushes name it; null where its repository is gone, as of a deleted fork. */
function lineAt(payload: unknown, path: string): string | null {
  const repository = repositoryName(at(payload, `${path}.repo.full_name`))
  const name = at(payload, `${path}.ref`)
  return repository === null || branchKey(repository, name) === null
    ? null
    : `${repository}@refs/heads/${String(name)}`
}
