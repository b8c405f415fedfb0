import { entityKey } from "../../core/entity-key.ts"
import type { Reference } from "../../core/envelope.ts"
import {
  branchIdKey,
  branchKey,
  commitKey,
  fromApiUrl,
  isTrunk,
  refKey,
  repositoryName,
  repositoryOf,
} from "./keys.ts"
import { at, count, id, list, text } from "./read.ts"

/** A reference by structure, or none where the entity could not be made out. */
export function reference(
  entity: string | null,
  relation: string,
  field: string,
  value: unknown,
  subject?: string,
): Reference[] {
  if (entity === null) return []
  const evidence = { field, text: String(value) }
  return [subject === undefined ? { entity, relation, evidence } : { entity, relation, evidence, subject }]
}

/** Of a pull request at `path`: its head, its branch, and the commit it was merged as. */
export function pullRequestReferences(path: string): (payload: unknown) => Reference[] {
  return (payload) => {
    const head = at(payload, `${path}.head.sha`)
    const merge = at(payload, `${path}.merge_commit_sha`)
    // Reviews carry a pull request without `merged`. An open one has a merge_commit_sha too: GitHub's trial merge.
    const merged =
      at(payload, `${path}.merged`) === true || typeof at(payload, `${path}.merged_at`) === "string"
    return [
      ...sameIssue(payload, `${path}.number`),
      ...reference(commitKey(head), "head", `${path}.head.sha`, head),
      ...headBranch(payload, path),
      ...(merged ? reference(commitKey(merge), "merged_as", `${path}.merge_commit_sha`, merge) : []),
    ]
  }
}

/**
 * Pull requests and issues share their numbers, and a mention by `#42` or by an /issues/ address does
 * not tell which of both is meant. Such mentions go to the issue's key, and what is known to be a pull
 * request says that this key is it.
 */
export function sameIssue(payload: unknown, path: string): Reference[] {
  const repository = repositoryOf(payload)
  const number = count(payload, path)
  if (repository === null || number === null) return []
  return reference(entityKey.githubIssue(repository, number), "same_as", path, number)
}

function headBranch(payload: unknown, path: string): Reference[] {
  const name = text(payload, `${path}.head.ref`)
  const repository = repositoryName(at(payload, `${path}.head.repo.full_name`))
  if (name === null || isTrunk(name, at(payload, `${path}.head.repo.default_branch`))) return []
  const branch = branchKey(repository, name)
  const field = `${path}.head.ref`
  return [
    ...reference(branch, "head_branch", field, name),
    ...branchById(branch, id(payload, `${path}.head.repo.id`), name, field),
  ]
}

/** That a branch is the one of its repository's id, whatever the repository was called and will be. */
function branchById(
  branch: string | null,
  repositoryId: string | null,
  name: string,
  field: string,
): Reference[] {
  return branch === null ? [] : reference(branchIdKey(repositoryId, name), "same_as", field, name, branch)
}

/** Of a check, run, job or suite at `path`: the commit it checks, and the pull requests it lists. */
export function checkReferences(path: string): (payload: unknown) => Reference[] {
  return (payload) => {
    const sha = at(payload, `${path}.head_sha`)
    return [
      ...reference(commitKey(sha), "checks", `${path}.head_sha`, sha),
      ...listedPullRequests(payload, `${path}.pull_requests`, "checks"),
    ]
  }
}

/** Of a deployment: the commit it deploys, and the pull requests of the run that made it. */
export function deploymentReferences(payload: unknown): Reference[] {
  const sha = at(payload, "deployment.sha")
  return [
    ...reference(commitKey(sha), "deploys", "deployment.sha", sha),
    ...listedPullRequests(payload, "workflow_run.pull_requests", "ships"),
    ...listedPullRequests(payload, "pull_requests", "ships"),
  ]
}

// The list may hold pull requests of a fork that has the same commit, so each brings its own repository.
function listedPullRequests(payload: unknown, path: string, relation: string): Reference[] {
  return list(payload, path, 100).flatMap((entry) => {
    const url = text(entry, "url")
    const target = fromApiUrl(url)
    if (target === null || target.number === null) return []
    return reference(
      entityKey.githubPullRequest(target.repository, target.number),
      relation,
      `${path}.url`,
      url,
    )
  })
}

/**
 * Of a push: which new commits are on its branch, and with which head they came. A push that brings a
 * branch up to date lists commits of others too, marked as not distinct; they belong where they were
 * pushed first. Whatever is done with the head (a deployment, a check) is done with all that came along.
 */
export function pushReferences(payload: unknown): Reference[] {
  const ref = text(payload, "ref")
  const target = refKey(repositoryOf(payload), ref)
  if (ref === null || target === null || at(payload, "deleted") === true) return []
  if (ref.startsWith("refs/tags/")) return reference(target, "tagged_as", "ref", ref)
  const commits = distinctCommits(payload)
  const after = at(payload, "after")
  const head = commitKey(after)
  const together = commits.flatMap(({ key }) =>
    key === head ? [] : reference(head, "pushed_with", "after", after, key),
  )
  if (isTrunk(ref.slice("refs/heads/".length), at(payload, "repository.default_branch"))) return together
  const name = ref.slice("refs/heads/".length)
  return [
    ...commits.flatMap(({ key }) => reference(target, "on_branch", "ref", ref, key)),
    ...together,
    ...branchById(target, id(payload, "repository.id"), name, "ref"),
  ]
}

/** The commits that a push was the first to bring, oldest first. */
export function distinctCommits(payload: unknown): { key: string; commit: unknown }[] {
  return list(payload, "commits").flatMap((commit) => {
    const key = commitKey(at(commit, "id"))
    return key === null || at(commit, "distinct") === false ? [] : [{ key, commit }]
  })
}

/** Of an issue at `path`: the issue it is a part of. */
export function issueReferences(path: string): (payload: unknown) => Reference[] {
  return (payload) => {
    const url = text(payload, `${path}.parent_issue_url`)
    const parent = fromApiUrl(url)
    if (parent === null || parent.number === null) return []
    return reference(entityKey.githubIssue(parent.repository, parent.number), "parent", "parent", url)
  }
}
