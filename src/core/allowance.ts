/** How much somebody may have of something a second, and at most that much at once. */
export interface Allowance {
  readonly perSecond: number
  /** Takes so much where it may be had at once; false where not, or where others wait for theirs. */
  tryTake(count: number): boolean
  /** Resolves with how much was taken, between 1 and `most`, in the order of asking. */
  take(most: number): Promise<number>
  /** Takes what nobody could know beforehand, or gives back where it is negative: until a debt is made up for, nothing may be had. */
  spend(count: number): void
  /** Milliseconds until something may be had; 0 for now. */
  waitMs(): number
}

/** Makes an allowance, full at first. `clock` counts milliseconds, and never backwards. */
export function createAllowance(perSecond: number, clock: () => number = () => performance.now()): Allowance {
  const most = Math.max(1, perSecond)
  const waiting: { most: number; grant: (count: number) => void }[] = []
  let left = most
  let at = clock()
  let timer: NodeJS.Timeout | undefined

  function refill(): void {
    const now = clock()
    left = Math.min(most, left + ((now - at) / 1000) * perSecond)
    at = now
  }

  function waitMs(): number {
    refill()
    return left >= 1 ? 0 : ((1 - left) / perSecond) * 1000
  }

  function grant(): void {
    clearTimeout(timer)
    timer = undefined
    refill()
    for (let next = waiting[0]; next !== undefined && left >= 1; next = waiting[0]) {
      waiting.shift()
      const count = Math.min(next.most, Math.floor(left))
      left -= count
      next.grant(count)
    }
    if (waiting.length > 0) timer ??= setTimeout(grant, Math.min(1_000, Math.ceil(waitMs()))).unref()
  }

  return {
    perSecond,
    tryTake: (count) => {
      refill()
      if (waiting.length > 0 || left < count) return false
      left -= count
      return true
    },
    take: async (wanted) => {
      const { promise, resolve } = Promise.withResolvers<number>()
      waiting.push({ most: wanted, grant: resolve })
      if (timer === undefined) grant()
      return promise
    },
    spend: (count) => {
      refill()
      left = Math.min(most, left - count)
      // Given back by one that is gone, perhaps: whoever is next need not wait for what is there.
      if (count < 0 && left >= 1 && waiting.length > 0) grant()
    },
    waitMs,
  }
}
