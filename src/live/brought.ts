import { entityKey } from "../core/entity-key.ts"
import type { AsOf } from "../store/correlations.ts"
import type { TrackStates } from "../store/deployment-tracks.ts"
import type { Db } from "../store/database.ts"
import { edgesOf } from "../store/live-edges.ts"
import { cameWithin, mergesOf, placesOf } from "../store/live-facts.ts"
import { mergedInto } from "../store/live-onward.ts"
import { loadAncestry } from "./load-lines.ts"
import { isPullRequest } from "./load-changes.ts"
import { whatIsThere } from "./put-back.ts"

const maxPullRequests = 100
const maxBranches = 3 // a branch merged into a branch that was merged: so many are followed

/**
 * The pull requests that a deployment brought: those that came between what was deployed there before and
 * its own commit, and those that it says it ships. The first known deployment of an environment brings what
 * was pushed with its commit alone. With a pull request comes what was merged into its branch. The first
 * 100 by number, and whether there are more.
 */
export async function pullRequestsBrought(
  db: Db,
  tenant: string,
  deployment: string,
  tracks: readonly TrackStates[],
  asOf: AsOf,
): Promise<{ pullRequests: string[]; isTruncated: boolean }> {
  const found = new Set<string>()
  const out = { side: "out of", entities: [deployment], relations: ["ships"] } as const
  for (const { to } of await edgesOf(db, tenant, out, asOf)) found.add(to)
  for (const { states } of tracks) {
    const index = states.findIndex((state) => state.deployment === deployment)
    const sha = states[index]?.sha ?? null
    if (sha === null) continue
    const before = whatIsThere(states)[index - 1]
    const previous = states[before?.version ?? -1]?.sha ?? null
    const commits = await commitsBrought(db, tenant, sha, previous, asOf)
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
  let fresh = [...found].filter(isPullRequest)
  for (let depth = 0; depth < maxBranches && fresh.length > 0; depth++) {
    fresh = (await mergedInto(db, tenant, fresh, asOf)).filter((key) => !found.has(key))
    for (const key of fresh) found.add(key)
  }
  const all = [...found].filter(isPullRequest).toSorted(byNumber)
  return { pullRequests: all.slice(0, maxPullRequests), isTruncated: all.length > maxPullRequests }
}

function byNumber(a: string, b: string): number {
  const [ofA = "", numberOfA] = a.split("#")
  const [ofB = "", numberOfB] = b.split("#")
  return ofA === ofB ? Number(numberOfA) - Number(numberOfB) : ofA < ofB ? -1 : 1
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
  const listed = await cameWithin(db, tenant, { lines, from, to: Math.max(...times(sha)) }, asOf)
  const { contains, cameTogether } = await loadAncestry(db, tenant, { deployed, others: listed }, asOf)
  return listed.filter((commit) => {
    if (!contains(sha, commit)) return false
    return previous === null ? cameTogether(sha, commit) : !contains(previous, commit)
  })
}
