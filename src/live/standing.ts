import { actsOn, isIn } from "./acts.ts"
import type { Ancestry } from "./ancestry.ts"
import type { Change } from "./change.ts"
import { shaOf } from "./load-changes.ts"
import { liveIn, shortName, shortTime, type LiveIn, type PendingIn } from "./status.ts"
import { followTrack, type Fate, type Track } from "./track.ts"

/** A track with what follows from it. */
export interface Followed {
  track: Track
  /** Repositories that it deploys, in lower case. */
  repositories: ReadonlySet<string>
  fateOf: (change: Change) => Fate
}

/** Makes each track ready to be asked. */
export function followTracks(tracks: readonly Track[], ancestry: Ancestry): Followed[] {
  return tracks.map((track) => ({
    track,
    repositories: new Set(
      track.states.flatMap(({ repository, sha }) =>
        repository === null ? (sha === null ? [] : ancestry.repositories(sha)) : [repository],
      ),
    ),
    fateOf: followTrack(track, ancestry),
  }))
}

/** What reverts a change, where that was the last word on it; the first of several. */
export function reverterOf(change: Change, ancestry: Ancestry): Change | null {
  if (standsBy(change, ancestry)) return null
  const reverters = new Set([change, ...change.takenAlongBy].flatMap((one) => one.reverters))
  const merged = [...reverters].filter(({ carriers }) => carriers.length > 0)
  const standing = merged.filter((reverter) => standsBy(reverter, ancestry))
  return standing.toSorted((a, b) => (a.key < b.key ? -1 : 1))[0] ?? null
}

/** Whether a change is in where all is that is merged, or is not merged itself and nothing takes it out. */
function standsBy(change: Change, ancestry: Ancestry): boolean {
  return isIn(
    actsOn(change, ancestry, { merged: true }).filter(({ sha, depth }) => depth === 0 || sha !== null),
    ancestry,
  )
}

/** Whether a track is one that a change would come to. */
export function concerns(
  { repositories, fateOf }: Followed,
  change: Change,
  repositoriesOf: readonly string[],
): boolean {
  return (
    repositories.size === 0 ||
    repositoriesOf.some((repository) => repositories.has(repository)) ||
    fateOf(change).live.includes(true)
  )
}

/** `acme/api` of a pull request, and where a commit was pushed to. */
export function repositoriesOfChange({ key, carriers }: Change, ancestry: Ancestry): string[] {
  const named = /^github:pull_request:([^#]+)#/.exec(key)?.[1]
  return named === undefined ? carriers.flatMap((sha) => ancestry.repositories(sha)) : [named]
}

/** Where it is live, by the states from which on it was: since the first of the last unbroken run. */
export function liveSince({ states, kind }: Track, live: readonly boolean[]): LiveIn | null {
  if (live.at(-1) !== true) return null
  const first = states[live.lastIndexOf(false) + 1]
  return first === undefined ? null : liveIn(first, kind)
}

/** The track as one in which something is not live. */
export function pendingIn(
  { environment, service, kind }: Pick<Track, "environment" | "service" | "kind">,
  reason: string,
): PendingIn {
  return { environment, service: service === "" ? null : service, kind, reason }
}

/** Why a change is not live in a track. */
export function reasonOf(
  followed: Followed,
  change: Change,
  ancestry: Ancestry,
  state: string | null,
): string {
  const { track, fateOf } = followed
  const { live, older } = fateOf(change)
  const name = shortName(change.key)
  const last = live.lastIndexOf(true)
  const ended = last === -1 ? undefined : track.states[last + 1]
  if (ended?.status === "inactive") {
    return `${name} is there no more: ${ended.deployment} is inactive since ${shortTime(ended.at)}`
  }
  if (ended !== undefined) {
    const by = change.reverters.find((reverter) => fateOf(reverter).live[last + 1] === true)
    const what =
      by === undefined ? `${name} was taken out again` : `${name} was reverted by ${shortName(by.key)}`
    return `${what} with ${ended.deployment} at ${shortTime(ended.at)}`
  }
  if (older) return `${name} is older than the first deployment that is known there`
  const reverter = reverterOf(change, ancestry)
  if (reverter !== null) return `${name} is reverted by ${shortName(reverter.key)}`
  if (change.carriers.length === 0) {
    return state === "closed" ? `${name} was closed and not merged` : `${name} is not merged`
  }
  if (shaOf(change.key) !== null && repositoriesOfChange(change, ancestry).length === 0) {
    return `${name} was in no push that is known`
  }
  return `no deployment there holds ${name}`
}
