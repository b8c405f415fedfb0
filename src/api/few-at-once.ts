import { SignalboxError } from "../core/errors.ts"

export interface FewAtOnce {
  /** How many run at once (2). */
  limit?: number
  /** Milliseconds that a further one waits for its turn before it is refused (2 s). */
  waitMs?: number
  /** What they are, for whoever is refused: "figures of delivery". */
  what: string
  /** What to do instead ("ask for one at a time, or for a shorter range"). */
  instead?: string
}

/**
 * Runs what is expensive a few at a time, so that it never takes every connection from what is not. A
 * further one waits its turn, and fails with `too_many_requests` where none comes in time.
 */
export function fewAtOnce({
  limit = 2,
  waitMs = 2_000,
  what,
  instead = "ask for one at a time, or for a shorter range",
}: FewAtOnce) {
  let running = 0
  const waiting: (() => void)[] = []

  async function turn(): Promise<void> {
    if (running < limit) {
      running += 1
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    waiting.push(resolve)
    const timer = setTimeout(() => {
      waiting.splice(waiting.indexOf(resolve), 1)
      reject(
        new SignalboxError(
          "too_many_requests",
          `${limit} requests for ${what} are being answered already, and each reads much: ${instead}`,
          { retryAfter: 5 },
        ),
      )
    }, waitMs)
    await promise.finally(() => {
      clearTimeout(timer)
    })
  }

  return async function oneOfFew<T>(work: () => Promise<T>): Promise<T> {
    await turn()
    try {
      return await work()
    } finally {
      // Whoever waits takes the place over.
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
