import { SignalboxError } from "../core/errors.ts"

export interface FewAtOnce {
  /** How many run at once (2). */
  limit?: number
  /** How many of them may be one's own (as many). */
  each?: number
  /** Milliseconds that a further one waits for its turn before it is refused (2 s). */
  waitMs?: number
  /** What they are, for whoever is refused: "figures of delivery". */
  what: string
  /** What to do instead ("ask for one at a time, or for a shorter range"). */
  instead?: string
}

interface Waiting {
  who: string
  resolve: () => void
}

/**
 * Runs what is expensive a few at a time, so that it never takes every connection from what is not. A
 * further one waits its turn, and fails with `too_many_requests` where none comes in time. Turns go round: of
 * those who wait and may have another, whoever had one longest ago is next, however much the others ask for.
 */
export function fewAtOnce({
  limit = 2,
  each = limit,
  waitMs = 2_000,
  what,
  instead = "ask for one at a time, or for a shorter range",
}: FewAtOnce) {
  let running = 0
  let turns = 0
  const waiting: Waiting[] = []
  const lastTurns = new Map<string, number>()
  const runningOf = new Map<string, number>()
  const mayBegin = (who: string): boolean => running < limit && (runningOf.get(who) ?? 0) < each

  function begin(who: string): void {
    running += 1
    runningOf.set(who, (runningOf.get(who) ?? 0) + 1)
    lastTurns.set(who, ++turns)
  }

  function end(who: string): void {
    running -= 1
    const left = (runningOf.get(who) ?? 1) - 1
    if (left > 0) runningOf.set(who, left)
    else runningOf.delete(who)
  }

  async function turn(who: string): Promise<void> {
    if (mayBegin(who)) {
      begin(who)
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const place = { who, resolve }
    waiting.push(place)
    const timer = setTimeout(() => {
      waiting.splice(waiting.indexOf(place), 1)
      reject(
        new SignalboxError(
          "too_many_requests",
          `${Math.min(limit, each)} requests for ${what} are being answered already, and each reads much: ${instead}`,
          { retryAfter: 5 },
        ),
      )
    }, waitMs)
    await promise.finally(() => {
      clearTimeout(timer)
    })
  }

  function letNext(): void {
    const [next] = waiting
      .filter(({ who }) => mayBegin(who))
      .toSorted((one, other) => lastTurn(one) - lastTurn(other))
    if (next === undefined) {
      if (running === 0) lastTurns.clear() // or it would grow with everybody who ever asked
      return
    }
    waiting.splice(waiting.indexOf(next), 1)
    begin(next.who)
    next.resolve()
  }

  const lastTurn = ({ who }: Waiting): number => lastTurns.get(who) ?? 0

  return async function oneOfFew<T>(who: string, work: () => Promise<T>): Promise<T> {
    await turn(who)
    try {
      return await work()
    } finally {
      end(who)
      letNext()
    }
  }
}
