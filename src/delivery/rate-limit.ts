/** So many starts a second, and no more than those of a second at once. */
export interface RateLimit {
  /** When the next may start, at the earliest, as of `now`; `share` of the limit is this process's, 1 for all. */
  nextAt(now: number, share: number): number
  /** Uses one up. */
  take(now: number, share: number): void
}

/** Makes a limit; null is none. */
export function createRateLimit(perSecond: number | null): RateLimit {
  if (perSecond === null) return { nextAt: (now) => now, take: () => {} }
  const limit = perSecond
  let left = Math.max(1, limit)
  let at: number | undefined

  function leftAt(now: number, share: number): number {
    const gained = at === undefined ? 0 : (Math.max(0, now - at) / 1_000) * limit * share
    return Math.min(Math.max(1, limit * share), left + gained)
  }

  return {
    nextAt(now, share) {
      const lacking = 1 - leftAt(now, share)
      return lacking <= 0 ? now : now + (lacking / (limit * share)) * 1_000
    },
    take(now, share) {
      left = leftAt(now, share) - 1
      at = now
    },
  }
}
