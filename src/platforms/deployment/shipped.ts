import { entityKey } from "../../core/entity-key.ts"
import type { Reference } from "../../core/envelope.ts"
import { entityFromUrl as githubEntity } from "../github/urls.ts"
import { entityFromUrl as linearEntity, isIdentifier } from "../linear/urls.ts"
import type { Deployment } from "./schema.ts"

// An abbreviation is kept with the deployment, but names no entity: commits are known by their whole SHA.
const fullSha = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

/** The commit a deployment deploys, and the pull requests and issues it ships. */
export function referencesOf(deployment: Deployment): Reference[] {
  const { sha, prs, issues } = deployment
  const repository = githubRepository(deployment)
  const references: Reference[] = []
  if (sha !== undefined && sha !== null && fullSha.test(sha)) {
    references.push({
      entity: entityKey.githubCommit(sha),
      relation: "deploys",
      evidence: { field: "sha", text: sha },
    })
  }
  const ship = (field: string, entry: string | number, entity: string | null): void => {
    if (entity === null) return
    references.push({ entity, relation: "ships", evidence: { field, text: String(entry) } })
  }
  for (const entry of prs ?? []) ship("prs", entry, numbered(entry, repository, entityKey.githubPullRequest))
  for (const entry of issues ?? []) {
    const identifier = isIdentifier(entry) ? entityKey.linearIssue(entry) : null
    ship("issues", entry, identifier ?? numbered(entry, repository, entityKey.githubIssue))
  }
  return references
}

/** `42`, `#42`, `owner/name#42` or a URL. */
function numbered(
  entry: string | number,
  repository: string | null,
  build: (repository: string, number: string) => string,
): string | null {
  const text = String(entry)
  const match = /^(?:([\w.-]{1,100}\/[\w.-]{1,100})?#)?([1-9]\d{0,14})$/.exec(text)
  if (match !== null) {
    const named = match[1] ?? repository
    return named === null ? null : build(named, match[2] ?? "")
  }
  const url = URL.parse(text)
  return url === null ? null : (githubEntity(url) ?? linearEntity(url))
}

/** The repository's name where it is GitHub's; a number elsewhere names none of our entities. */
function githubRepository({ repo }: Deployment): string | null {
  if (repo === undefined || repo === null || !/^[\w.-]{1,100}\/[\w.-]{1,100}$/.test(repo.fullName))
    return null
  return /^(?:$|github$|(?:.+\.)?github\.)/i.test(repo.host ?? "") ? repo.fullName : null
}
