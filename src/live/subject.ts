import { entityKind } from "../core/entity-key.ts"
import type { AsOf } from "../store/correlations.ts"
import type { Db } from "../store/database.ts"
import { edgesOf, sameAs } from "../store/live-edges.ts"
import { mergesOf, placesOf } from "../store/live-facts.ts"
import { isPullRequest, shaOf } from "./load-changes.ts"

/** What is asked about, and the changes that it stands for. */
export interface Subject {
  /** All keys of it. */
  keys: ReadonlySet<string>
  /** Keys of the pull requests and commits that implement it, or that it is. */
  changes: readonly string[]
  /** Deployments that say they ship it. */
  shippedBy: ReadonlySet<string>
}

const kindsOfChange: ReadonlySet<string> = new Set(["github:pull_request", "github:commit"])

/** What a pull request, a commit or an issue stands for; of anything else, what strong links tell implements it. */
export async function subjectOf(db: Db, tenant: string, entity: string, asOf: AsOf): Promise<Subject> {
  const keys = (await sameAs(db, tenant, [entity], asOf)).get(entity) ?? new Set([entity])
  const sha = shaOf(entity)
  if (sha !== null) {
    const around = await pullRequestsAround(db, tenant, entity, sha, asOf)
    return { keys, changes: [entity, ...around], shippedBy: new Set() }
  }
  const pullRequest = [entity, ...[...keys].toSorted()].find(isPullRequest)
  if (pullRequest !== undefined) return { keys, changes: [pullRequest], shippedBy: new Set() }
  return issue(db, tenant, keys, asOf)
}

async function issue(db: Db, tenant: string, keys: ReadonlySet<string>, asOf: AsOf): Promise<Subject> {
  const attached = await edgesOf(
    db,
    tenant,
    { side: "into", entities: [...keys], relations: ["attached"] },
    asOf,
  )
  // What closes a GitHub issue that is kept in step with one of Linear's, closes both.
  const twins = attached.flatMap(({ from }) => (entityKind(from) === "github:issue" ? from : []))
  const edges = await edgesOf(
    db,
    tenant,
    { side: "into", entities: [...keys, ...twins], relations: ["implements", "ships"] },
    asOf,
  )
  const implementing = edges.filter(
    ({ relation, from }) => relation === "implements" && kindsOfChange.has(entityKind(from)),
  )
  return {
    keys,
    changes: [...new Set(implementing.map(({ from }) => from))].toSorted(),
    shippedBy: new Set(edges.flatMap(({ from, relation }) => (relation === "ships" ? from : []))),
  }
}

/** The merged pull requests from whose branch a commit came: those that were merged after it was pushed there. */
async function pullRequestsAround(
  db: Db,
  tenant: string,
  entity: string,
  sha: string,
  asOf: AsOf,
): Promise<string[]> {
  const branches = await edgesOf(
    db,
    tenant,
    { side: "out of", entities: [entity], relations: ["on_branch"] },
    asOf,
  )
  const from = [
    ...(await edgesOf(db, tenant, { side: "into", entities: [entity], relations: ["contains"] }, asOf)),
    ...(await edgesOf(
      db,
      tenant,
      { side: "into", entities: branches.map(({ to }) => to), relations: ["head_branch"] },
      asOf,
    )),
  ]
  const pullRequests = [...new Set(from.map((edge) => edge.from).filter(isPullRequest))].toSorted()
  const merges = await mergesOf(db, tenant, { pullRequests, shas: [] }, asOf)
  const pushed = Math.min(...(await placesOf(db, tenant, [sha], asOf)).map(({ at }) => at))
  return pullRequests.filter((key) => {
    const merge = merges.find(({ pullRequest }) => pullRequest === key)
    return merge !== undefined && merge.mergedAt.getTime() >= pushed
  })
}
