import type { Ancestry } from "./ancestry.ts"

/** Commits that hold something, kept so that none is compared with commits that can have nothing to do with it. */
export interface Holders {
  add: (sha: string) => void
  /** Whether a commit holds any of them. */
  isAnyIn: (sha: string) => boolean
}

/** A commit holds only what is on a line that it stands on, or a commit that such a line was made at. */
export function createHolders({ contains, lines, reach }: Ancestry): Holders {
  const byGround = new Map<string, string[]>()
  const added = new Set<string>()
  return {
    add: (sha) => {
      if (added.has(sha)) return
      added.add(sha)
      for (const ground of [sha, ...lines(sha)]) {
        const there = byGround.get(ground)
        if (there === undefined) byGround.set(ground, [sha])
        else there.push(sha)
      }
    },
    isAnyIn: (sha) => {
      for (const ground of reach(sha)) {
        // The latest is the likeliest.
        if (byGround.get(ground)?.findLast((holder) => contains(sha, holder)) !== undefined) return true
      }
      return false
    },
  }
}
