import type { PgBoss } from "pg-boss"
import { within } from "./within.ts"

/** Queue of the ticks, one a minute by pg-boss's timetable and whenever somebody asks for one. */
export const tickQueue = "reconcile"

/**
 * At most one tick waits, and each goes to one process of all. It says only that there may be something
 * to do, so one that is lost with its process is made good by the next.
 */
export const tickOptions = {
  policy: "short",
  notify: true,
  retryLimit: 0,
  expireInSeconds: 60,
  retentionSeconds: 600,
  deleteAfterSeconds: 60,
} as const

/** The ticks that come to this process. */
export interface Ticks {
  /** Says that there may be one. */
  wake: () => void
  /** Takes no more, and waits for the one in work for so long. */
  stop(patienceMs: number): Promise<void>
}

export interface TicksOptions {
  boss: Pick<PgBoss, "fetch" | "complete">
  handler: () => Promise<void>
  onError: (error: unknown) => void
}

const pollMs = 5_000

/** Runs `handler` for each tick, one after another; looks when woken, and every five seconds in case nobody did. */
export function openTicks({ boss, handler, onError }: TicksOptions): Ticks {
  let alarm = Promise.withResolvers<void>()
  const closing = new AbortController()
  const looking = look()

  async function look(): Promise<void> {
    while (!closing.signal.aborted) {
      alarm = Promise.withResolvers<void>()
      try {
        const [tick] = await boss.fetch(tickQueue, { batchSize: 1 })
        if (tick !== undefined) {
          await boss.complete(tickQueue, tick.id)
          await handler()
        }
      } catch (error) {
        onError(error)
      }
      const timer = setTimeout(alarm.resolve, pollMs)
      await alarm.promise
      clearTimeout(timer)
    }
  }

  return {
    wake: () => alarm.resolve(),
    async stop(patienceMs) {
      closing.abort()
      alarm.resolve()
      await within(patienceMs, looking)
    },
  }
}
