/** A bounded amount of something (bytes, places) handed out in the order of asking. */
export interface Budget {
  /** Resolves once `amount` is free (never more than the whole is waited for); call the answer to give it back. */
  acquire(amount: number): Promise<() => void>
}

/** Makes a budget of `total`. */
export function createBudget(total: number): Budget {
  let free = total
  const queue: { amount: number; grant: () => void }[] = []

  function grantNext(): void {
    for (let next = queue[0]; next !== undefined && next.amount <= free; next = queue[0]) {
      queue.shift()
      free -= next.amount
      next.grant()
    }
  }

  return {
    acquire: async (wanted) => {
      const amount = Math.min(wanted, total)
      const { promise, resolve } = Promise.withResolvers<void>()
      queue.push({ amount, grant: resolve })
      grantNext()
      await promise
      let held = true
      return () => {
        if (!held) return
        held = false
        free += amount
        grantNext()
      }
    },
  }
}
