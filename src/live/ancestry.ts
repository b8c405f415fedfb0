import type { LinePush, Place, Turn } from "../store/live-facts.ts"

/** What is known of how lines grew: a line is a ref of a repository. */
export interface LineFacts {
  places: ReadonlyMap<string, readonly Place[]>
  /** Of each line its first known push and its turns, in order. */
  turns: ReadonlyMap<string, readonly Turn[]>
  /** Of pushes of one line and one time, which came later; 0 where there is no other. */
  rank: (push: LinePush) => number
}

/** Which commits stand on which others, as far as pushes tell. */
export interface Ancestry {
  /** Whether a commit holds another: is it, or came after it. */
  contains: (sha: string, other: string) => boolean
  /**
   * Lines and commits that it is known to stand on, to tell what is related. Two that share none may be related
   * all the same.
   */
  grounds: (sha: string) => ReadonlySet<string>
  /** The same, to tell what it may hold: all that it holds is among these commits, or on one of these lines. */
  reach: (sha: string) => ReadonlySet<string>
  /** Whether anybody has asked for grounds. */
  isAskedForGrounds: () => boolean
  /** Lines that it was pushed to. */
  lines: (sha: string) => string[]
  /** Repositories that it was pushed to. */
  repositories: (sha: string) => string[]
  /** Whether two commits came by one push. */
  cameTogether: (sha: string, other: string) => boolean
}

/**
 * Pushes name no parents, and some are never heard of. So a line is read by its clock: what was pushed to a
 * branch earlier is in what is pushed to it later, unless the branch was made anew or forced in between.
 * A branch stands on the commit that it was made at. A forced push takes out the commit that it says it
 * replaced, and where it sets the branch back to a known one, all that came after that; what lies beneath
 * is not told, and is taken to be still there.
 */
export function createAncestry({ places, turns, rank }: LineFacts): Ancestry {
  const isBefore = (a: LinePush, b: LinePush): boolean => order(a, b) < 0
  const order = (a: LinePush, b: LinePush): number => a.at - b.at || rank(a) - rank(b)
  const placesOf = (sha: string): readonly Place[] => places.get(sha) ?? []

  // In a list of a merge, what comes before a commit need not be in it; where it was a head, its line tells.
  const standing = (sha: string): readonly Place[] => {
    const all = placesOf(sha)
    const heads = all.filter(({ after }) => after === sha)
    return heads.length > 0 ? heads : all
  }

  /** The push from which on a line goes straight to `push`: its turn, or the first that is known. */
  const turnBefore = (push: LinePush): Turn | undefined =>
    (turns.get(push.line) ?? []).findLast((turn) => order(turn, push) <= 0)

  /** Where to go on beneath a turn; `replaced` is the commit that it took out. */
  const beneath = (
    turn: Turn,
  ): { bases: readonly Place[]; commit: string | null; replaced: string | null } => {
    const none = { bases: [], commit: null, replaced: null }
    if (turn.after === null) return none
    const elsewhere = (sha: string): Place[] =>
      placesOf(sha).filter((place) => place.line !== turn.line || isBefore(place, turn))
    if (turn.before === null) {
      // Made at a commit that is known: by a list without commits, or by one that was there before.
      return turn.commits > 0 ? none : { bases: elsewhere(turn.after), commit: turn.after, replaced: null }
    }
    if (!turn.forced) return { bases: elsewhere(turn.before), commit: turn.before, replaced: null }
    const known = elsewhere(turn.after)
    if (known.length > 0) return { bases: known, commit: turn.after, replaced: null }
    const replaced = placesOf(turn.before).filter(
      (place) => place.line === turn.line && isBefore(place, turn),
    )
    const at = turn.at - 0.5
    const justBefore = { line: turn.line, at, sha: turn.before, after: turn.before, ordinal: 0 }
    return { bases: replaced.length > 0 ? replaced : [justBefore], commit: null, replaced: turn.before }
  }

  const isOn = (place: Place, turn: Turn | undefined, sha: string): boolean =>
    placesOf(sha).some((other) => {
      if (other.line !== place.line || (turn !== undefined && isBefore(other, turn))) return false
      const later = order(other, place)
      return later < 0 || (later === 0 && other.ordinal <= place.ordinal)
    })

  const holds = (place: Place, sha: string, seen: Place[]): boolean => {
    const turn = turnBefore(place)
    if (isOn(place, turn, sha)) return true
    if (turn === undefined || seen.some((one) => isSamePlace(one, place))) return false
    seen.push(place)
    const { bases, commit, replaced } = beneath(turn)
    if (commit === sha) return true
    return replaced !== sha && bases.some((base) => holds(base, sha, seen))
  }

  const groundsOf = (place: Place, found: Set<string>): void => {
    const turn = turnBefore(place)
    const key = turn === undefined ? place.line : `${place.line}\n${turn.at}\n${rank(turn)}`
    if (found.has(key)) return
    found.add(key).add(place.line)
    if (turn === undefined) return
    const { bases, commit } = beneath(turn)
    if (commit !== null) found.add(commit)
    for (const base of bases) groundsOf(base, found)
  }

  const known = new Map<string, Set<string>>()
  const reach = (sha: string): ReadonlySet<string> => {
    let found = known.get(sha)
    if (found === undefined) {
      found = new Set([sha])
      for (const place of standing(sha)) groundsOf(place, found)
      known.set(sha, found)
    }
    return found
  }

  let askedForGrounds = false
  return {
    contains: (sha, other) => {
      if (sha === other) return true
      const seen: Place[] = []
      return standing(sha).some((place) => holds(place, other, seen))
    },
    grounds: (sha) => {
      askedForGrounds = true
      return reach(sha)
    },
    reach,
    isAskedForGrounds: () => askedForGrounds,
    lines: (sha) => [...new Set(placesOf(sha).map(({ line }) => line))],
    repositories: (sha) => [...new Set(placesOf(sha).map(({ line }) => repositoryOfLine(line)))],
    cameTogether: (sha, other) =>
      placesOf(sha).some((place) =>
        placesOf(other).some(
          ({ line, at, after }) => line === place.line && at === place.at && after === place.after,
        ),
      ),
  }
}

function isSamePlace(a: Place, b: Place): boolean {
  return a.line === b.line && a.at === b.at && a.after === b.after && a.ordinal === b.ordinal
}

/** `acme/api` of `acme/api@refs/heads/main`. */
export function repositoryOfLine(line: string): string {
  return line.slice(0, line.indexOf("@"))
}
