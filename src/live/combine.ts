import type { Ancestry } from "./ancestry.ts"
import type { Change } from "./change.ts"
import { isPullRequest } from "./load-changes.ts"
import {
  concerns,
  liveSince,
  pendingIn,
  reasonOf,
  repositoriesOfChange,
  reverterOf,
  type Followed,
} from "./standing.ts"
import type { LiveIn, PendingIn } from "./status.ts"

/** What tells where a thing is live. */
export interface Parts {
  /** All of these must be live. */
  every: readonly Change[]
  /** And any of these, where there are any. */
  some: readonly Change[]
  /** The thing itself where a deployment says that it ships it: live by that alone. */
  shipped?: Change | null
  /** Commits whose preview is a preview of the thing. */
  previewed: ReadonlySet<string>
  /** `open`, `closed`, …; null where it is not known. */
  stateOf: (change: Change) => string | null
}

/** Where a thing is live, and where its changes would come to and are not. */
export function combine(
  { every, some, shipped = null, previewed, stateOf }: Parts,
  tracks: readonly Followed[],
  ancestry: Ancestry,
): { live: LiveIn[]; pending: PendingIn[] } {
  const live: LiveIn[] = []
  const pending: PendingIn[] = []
  for (const followed of tracks) {
    const { track, fateOf } = followed
    if (track.branch !== "") {
      const shown = track.states.map(
        ({ status, sha }) => status !== "inactive" && sha !== null && previewed.has(sha),
      )
      const found = liveSince(track, shown)
      if (found !== null) live.push(found)
      continue
    }
    const here = (change: Change): boolean =>
      concerns(followed, change, repositoriesOfChange(change, ancestry))
    const all = every.filter(here)
    const any = some.filter(here)
    const changes = [...all, ...any]
    const byWord = shipped === null ? [] : fateOf(shipped).live
    if (changes.length === 0 && !byWord.includes(true)) continue
    const found = liveSince(
      track,
      track.states.map((_, at) => {
        const isLive = (change: Change): boolean => fateOf(change).live[at] === true
        if (byWord[at] === true) return true
        return changes.length > 0 && all.every(isLive) && (any.length === 0 || any.some(isLive))
      }),
    )
    if (found !== null) {
      live.push(found)
      continue
    }
    const missing = [...changes, ...(shipped === null ? [] : [shipped])].find(
      (change) => fateOf(change).live.at(-1) !== true,
    )
    if (missing !== undefined)
      pending.push(pendingIn(track, reasonOf(followed, missing, ancestry, stateOf(missing))))
  }
  return { live, pending }
}

/**
 * The changes by which an issue is live: its merged pull requests but those that were reverted, unless all
 * were. A commit that names the issue counts where no merged pull request of its repository does: those of
 * a branch that was squashed are never deployed.
 */
export function partsOfIssue(changes: readonly Change[], ancestry: Ancestry): Pick<Parts, "every" | "some"> {
  const pullRequests = changes.filter(({ key }) => isPullRequest(key))
  const merged = pullRequests.filter(({ carriers }) => carriers.length > 0)
  const standing = merged.filter((change) => reverterOf(change, ancestry) === null)
  const covered = new Set(merged.flatMap((change) => repositoriesOfChange(change, ancestry)))
  const commits = changes.filter((change) => {
    const repositories = isPullRequest(change.key) ? [] : repositoriesOfChange(change, ancestry)
    return repositories.length > 0 && !repositories.some((repository) => covered.has(repository))
  })
  const counted = standing.length > 0 ? standing : merged
  return { every: counted.length + commits.length > 0 ? counted : pullRequests, some: commits }
}
