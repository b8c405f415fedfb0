import type { TrackStates } from "../store/deployment-tracks.ts"
import { actsOn, isIn, type Act } from "./acts.ts"
import type { Ancestry } from "./ancestry.ts"
import type { Change } from "./change.ts"
import { createHolders } from "./holders.ts"
import { whatIsThere, type There } from "./put-back.ts"

/** A track, with the kind of its environment. */
export interface Track extends TrackStates {
  kind: string
}

/** How a change fared in a track. */
export interface Fate {
  /** For each state of the track, whether the change was live from then on. */
  live: readonly boolean[]
  /** Whether the change is part of what the first known deployment already stood on. */
  older: boolean
}

/** The track with the kind that its deployments tell, where any of them does. */
export function withKind(track: TrackStates): Track {
  const told = track.states.find(({ kind }) => kind !== "unknown")
  return { ...track, kind: told?.kind ?? "unknown" }
}

/**
 * Follows changes through one track. A change is live where what is deployed holds a commit that carries
 * it, or the deployment says that it ships it, and no later one that is live as well takes it out.
 */
export function followTrack(track: Track, ancestry: Ancestry): (change: Change) => Fate {
  const followed = new Map<Change, Map<string | null, Fate>>()
  const known = { groundsAreKnown: groundsShared(track, ancestry), there: whatIsThere(track.states) }
  const follow = ({ sha, change }: Act): Fate => {
    let parts = followed.get(change)
    if (parts === undefined) followed.set(change, (parts = new Map()))
    let fate = parts.get(sha)
    if (fate === undefined) parts.set(sha, (fate = followPart(track, ancestry, known, sha, change)))
    return fate
  }
  const fates = new Map<Change, Fate>()
  return (change) => {
    let fate = fates.get(change)
    if (fate === undefined) {
      const acts = actsOn(change, ancestry).map((act) => ({ act, fate: follow(act) }))
      const actsAt = (at: number): Act[] =>
        acts.flatMap(({ act, fate: { live } }) => (live[at] === true ? act : []))
      fate = {
        live: track.states.map((_, at) => isIn(actsAt(at), ancestry)),
        older: acts.some(({ act, fate: { older } }) => act.depth === 0 && older),
      }
      fates.set(change, fate)
    }
    return fate
  }
}

/** What is known of the states of a track, whatever the change. */
interface Known {
  groundsAreKnown: (index: number) => boolean
  there: readonly There[]
}

function followPart(
  { states }: Track,
  ancestry: Ancestry,
  { groundsAreKnown, there }: Known,
  part: string | null,
  change: Change,
): Fate {
  const { contains, cameTogether } = ancestry
  const live: boolean[] = []
  const left: boolean[] = [] // whether what was there last held it, be that taken down or not
  const bySha = new Map<string, boolean>()
  const presumed = createHolders(ancestry) // hold it because they are taken to stand on what was there before
  let older = false
  let counted = true
  for (const [index, { sha, status, deployment }] of states.entries()) {
    if (status === "inactive") {
      live.push(false)
      left.push(left[index - 1] ?? false)
      continue
    }
    const shipped = change.shippedBy.has(deployment) && there[index]?.isTakenBack !== true
    const within = part !== null && sha !== null && contains(sha, part)
    if (index === 0 && within && !shipped && part !== sha && !cameTogether(sha, part)) {
      older = true // who knows how long it has been there
      counted = false
    }
    if (shipped || (part !== null && part === sha)) counted = true
    const is = (within && counted) || shipped
    const taken = !is && isPresumed(index, sha, status)
    live.push(is || taken)
    left.push(is || taken)
    if (sha === null) continue
    bySha.set(sha, is || taken)
    if (shipped || taken) presumed.add(sha)
  }
  return { live, older: older && !counted }

  function isPresumed(index: number, sha: string | null, status: string): boolean {
    if (sha === null) {
      const from = status === "rolled_back" ? there[index]?.version : index - 1
      return left[from ?? -1] ?? false
    }
    const again = bySha.get(sha)
    if (again !== undefined) return again
    if (presumed.isAnyIn(sha)) return true
    return left[index - 1] === true && status !== "rolled_back" && !groundsAreKnown(index)
  }
}

/**
 * For each state, whether its commit is known to be related to one that was deployed there before, so that
 * pushes tell what is in it. Else it is taken to stand on what was there.
 */
function groundsShared({ states }: Track, { grounds }: Ancestry): (index: number) => boolean {
  let shared: boolean[] | undefined
  return (at) => {
    const met = new Set<string>()
    shared ??= states.map(({ sha }) => {
      if (sha === null) return false
      const own = [...grounds(sha)]
      const known = own.some((ground) => met.has(ground))
      for (const ground of own) met.add(ground)
      return known
    })
    return shared[at] === true
  }
}
