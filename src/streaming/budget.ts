/** A bounded amount of something (bytes, places) that owners share. */
export interface Budget {
  /**
   * Resolves once `amount` is free for this owner (never more than the whole is waited for); call the answer to
   * give it back. Owners take turns, and each is served in the order of asking.
   */
  acquire(owner: string, amount: number): Promise<() => void>
}

export interface BudgetOptions {
  /**
   * Give nobody more than stays free behind it, beyond a first piece: an owner that gives nothing back, since its
   * readers are slow, keeps the half at most, the next such one the half of the rest, and there is room for others.
   */
  leavesRoom?: boolean
}

interface Request {
  amount: number
  grant: () => void
}

/** Makes a budget of `total`. */
export function createBudget(total: number, { leavesRoom = false }: BudgetOptions = {}): Budget {
  let free = total
  const held = new Map<string, number>()
  const waiting = new Map<string, Request[]>() // those whose turn is next come first

  function mayHave(owner: string, amount: number): boolean {
    const before = held.get(owner) ?? 0
    return !leavesRoom || before === 0 || before + amount <= free - amount
  }

  function grantNext(): boolean {
    for (const [owner, requests] of waiting) {
      const [next] = requests
      if (next === undefined || !mayHave(owner, next.amount)) continue
      if (next.amount > free) return false // kept for it, or a large one would wait for ever behind small ones
      requests.shift()
      waiting.delete(owner)
      if (requests.length > 0) waiting.set(owner, requests)
      take(owner, next.amount)
      next.grant()
      return true
    }
    return false
  }

  function grantAll(): void {
    while (grantNext());
  }

  function take(owner: string, amount: number): void {
    free -= amount
    const now = (held.get(owner) ?? 0) + amount
    if (now === 0) held.delete(owner)
    else held.set(owner, now)
  }

  return {
    acquire: async (owner, wanted) => {
      const amount = Math.min(wanted, total)
      const { promise, resolve } = Promise.withResolvers<void>()
      const before = waiting.get(owner)
      if (before === undefined) waiting.set(owner, [{ amount, grant: resolve }])
      else before.push({ amount, grant: resolve })
      grantAll()
      await promise
      let isHeld = true
      return () => {
        if (!isHeld) return
        isHeld = false
        take(owner, -amount)
        grantAll()
      }
    },
  }
}
