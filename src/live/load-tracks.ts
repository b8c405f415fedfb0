import type { AsOf } from "../store/correlations.ts"
import type { Db } from "../store/database.ts"
import { tracksOf, type TracksAsked, type TrackStates } from "../store/deployment-tracks.ts"
import { placesOf, wholeNames } from "../store/live-facts.ts"
import { repositoryOfLine, type Ancestry } from "./ancestry.ts"
import type { Change } from "./change.ts"
import { loadAncestry } from "./load-lines.ts"
import { followTracks, type Followed } from "./standing.ts"
import type { Subject } from "./subject.ts"
import { withKind } from "./track.ts"

/** The states of every track that is asked for, each commit by its whole name. */
export async function wholeTracks(
  db: Db,
  tenant: string,
  asked: TracksAsked,
  asOf: AsOf,
): Promise<TrackStates[]> {
  const tracks = await tracksOf(db, tenant, asked, asOf)
  const short = tracks.flatMap(({ states }) => states.flatMap(({ sha }) => (isShort(sha) ? sha : [])))
  if (short.length === 0) return tracks
  const whole = await wholeNames(db, tenant, [...new Set(short)], asOf)
  return tracks.map((track) => ({
    ...track,
    states: track.states.map((state) =>
      isShort(state.sha) ? { ...state, sha: whole.get(state.sha) ?? state.sha } : state,
    ),
  }))
}

/** The states of every track that these changes would come to. */
export async function loadTracks(
  db: Db,
  tenant: string,
  {
    subject,
    changes,
    heads,
  }: { subject: Subject; changes: readonly Change[]; heads: ReadonlyMap<Change, readonly string[]> },
  asOf: AsOf,
): Promise<TrackStates[]> {
  const carriers = changes.flatMap((change) => change.carriers)
  const places = await placesOf(db, tenant, carriers, asOf)
  const named = changes.flatMap(({ key }) => /^github:pull_request:([^#]+)#/.exec(key)?.[1] ?? [])
  return wholeTracks(
    db,
    tenant,
    {
      repositories: [...new Set([...named, ...places.map(({ line }) => repositoryOfLine(line))])],
      shas: [...new Set([...carriers, ...[...heads.values()].flat()])],
      deployments: [...subject.shippedBy, ...changes.flatMap((change) => [...change.shippedBy])],
    },
    asOf,
  )
}

function isShort(sha: string | null): sha is string {
  return sha !== null && sha.length < 40
}

// Senders' clocks differ, but not by so much that a commit is deployed long before it is pushed.
const clockTolerance = 24 * 3_600_000

/**
 * Makes tracks ready to be asked of these changes; `all` holds what reverts them as well, and `isShipped` tells
 * whether any deployment says that it ships them.
 */
export async function loadFollowed(
  db: Db,
  tenant: string,
  loaded: readonly TrackStates[],
  { changes, all, isShipped }: { changes: readonly Change[]; all: Iterable<Change>; isShipped: boolean },
  asOf: AsOf,
): Promise<{ tracks: Followed[]; ancestry: Ancestry }> {
  const tracks = loaded.map(withKind)
  const known = [...new Set(all)]
  const carriers = [...new Set(known.flatMap((change) => change.carriers))]
  const others = [...new Set([...carriers, ...known.flatMap(({ head }) => head ?? [])])]
  // How a change stood on the branch of what took it along, and whether it came by that, is told by these lines.
  const onward = new Set(known.flatMap(({ takenAlongBy }) => takenAlongBy))
  const ends = [...onward].flatMap((change) => [...change.carriers, change.head ?? []].flat())
  const follow = async (since: number) => {
    const standing = tracks.filter(({ branch }) => branch === "")
    const deployed = standing.flatMap(({ states }) =>
      states.flatMap(({ sha, at }, index) =>
        sha !== null && (index === 0 || at.getTime() >= since) ? sha : [],
      ),
    )
    const ancestry = await loadAncestry(
      db,
      tenant,
      { deployed: [...new Set([...deployed, ...ends])], others },
      asOf,
    )
    const followed = followTracks(tracks, ancestry)
    for (const { fateOf } of followed) for (const change of changes) fateOf(change)
    return { tracks: followed, ancestry }
  }
  // What was deployed before a commit was pushed cannot hold it, and need not be looked up. It may tell
  // what a later deployment is related to, which is rarely asked.
  const since = isShipped ? 0 : (await firstPushed(db, tenant, { carriers, others }, asOf)) - clockTolerance
  const first = await follow(since)
  return since > 0 && first.ancestry.isAskedForGrounds() ? follow(0) : first
}

/**
 * When the first of these commits was pushed, in milliseconds; 0 where a carrier never was, or there is
 * none. A head that never was is that of a fork, and in what is deployed only where it is deployed itself.
 */
async function firstPushed(
  db: Db,
  tenant: string,
  { carriers, others }: { carriers: readonly string[]; others: readonly string[] },
  asOf: AsOf,
): Promise<number> {
  const places = await placesOf(db, tenant, others, asOf)
  const pushed = new Set(places.map(({ sha }) => sha))
  const isKnown = pushed.size > 0 && carriers.every((sha) => pushed.has(sha))
  return isKnown ? Math.min(...places.map(({ at }) => at)) : 0
}
