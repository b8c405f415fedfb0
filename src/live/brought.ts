import { entityKey } from "../core/entity-key.ts"
import type { AsOf } from "../store/correlations.ts"
import type { TrackStates } from "../store/deployment-tracks.ts"
import type { Db } from "../store/database.ts"
import { edgesOf } from "../store/live-edges.ts"
import { mergesOf, placesOf, pushedWithin } from "../store/live-facts.ts"
import { loadAncestry } from "./load-lines.ts"
import { isPullRequest } from "./load-changes.ts"

const maxPullRequests = 100

/**
 * The pull requests that a deployment brought: those that came between what was deployed there before and
 * its own commit, and those that it says it ships. The first known deployment of an environment brings what
 * was pushed with its commit alone. At most 100.
 */
export async function pullRequestsBrought(
  db: Db,
  tenant: string,
  deployment: string,
  tracks: readonly TrackStates[],
  asOf: AsOf,
): Promise<string[]> {
  const found = new Set<string>()
  const out = { side: "out of", entities: [deployment], relations: ["ships"] } as const
  for (const { to } of await edgesOf(db, tenant, out, asOf)) found.add(to)
  for (const { states } of tracks) {
    const index = states.findIndex((state) => state.deployment === deployment)
    const sha = states[index]?.sha ?? null
    if (sha === null) continue
    const commits = await commitsBrought(db, tenant, sha, states[index - 1]?.sha ?? null, asOf)
    const entities = commits.map(entityKey.githubCommit)
    for (const { to } of await edgesOf(
      db,
      tenant,
      { side: "out of", entities, relations: ["merge_of"] },
      asOf,
    )) {
      found.add(to)
    }
    for (const merge of await mergesOf(db, tenant, { pullRequests: [], shas: commits }, asOf)) {
      found.add(merge.pullRequest)
    }
  }
  return [...found].filter(isPullRequest).toSorted().slice(0, maxPullRequests)
}

async function commitsBrought(
  db: Db,
  tenant: string,
  sha: string,
  previous: string | null,
  asOf: AsOf,
): Promise<string[]> {
  const deployed = previous === null ? [sha] : [sha, previous]
  const places = await placesOf(db, tenant, deployed, asOf)
  const times = (of: string | null): number[] => places.flatMap((place) => (place.sha === of ? place.at : []))
  if (times(sha).length === 0) return [sha]
  const { grounds } = await loadAncestry(db, tenant, { deployed, others: [] }, asOf)
  const lines = [...grounds(sha)].filter((ground) => ground.includes("@"))
  const from = Math.min(...times(previous), ...times(sha))
  const listed = await pushedWithin(db, tenant, { lines, from, to: Math.max(...times(sha)) }, asOf)
  const { contains, cameTogether } = await loadAncestry(db, tenant, { deployed, others: listed }, asOf)
  return listed.filter((commit) => {
    if (!contains(sha, commit)) return false
    return previous === null ? cameTogether(sha, commit) : !contains(previous, commit)
  })
}
