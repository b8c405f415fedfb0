/** A wait that can be cut short. A ring between two waits is not lost: the next one ends at once. */
export interface Alarm {
  ring(): void
  /** Resolves with true when rung, with false after `ms`; without `ms` it waits for the ring alone. */
  wait(ms?: number): Promise<boolean>
}

/** Makes an alarm for one waiter. */
export function createAlarm(): Alarm {
  let rung = false
  let wakeUp: ((rung: boolean) => void) | undefined

  return {
    ring: () => {
      rung = true
      wakeUp?.(true)
    },
    wait: async (ms) => {
      if (!rung) {
        const { promise, resolve } = Promise.withResolvers<boolean>()
        wakeUp = resolve
        const timer = ms === undefined ? undefined : setTimeout(resolve, ms, false)
        await promise
        clearTimeout(timer)
        wakeUp = undefined
      }
      const result = rung
      rung = false
      return result
    },
  }
}

/** Delay before the next attempt after `failures` in a row: none at first, then up to 2 s, with jitter. */
export function backoffMs(failures: number): number {
  if (failures === 0) return 0
  return Math.min(2_000, 50 * 2 ** failures) * (0.5 + Math.random() / 2)
}
