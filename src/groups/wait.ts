import type { LiveGroup } from "./live-group.ts"

/** A wait that ends for several reasons. */
export interface Wait extends Disposable {
  /** Aborted at the end of this turn: the group has changed, or the whole is over. */
  turn(): AbortSignal
  /** Ends this turn after `ms` at the latest. */
  shorten(ms: number): void
  /** Whether the time is up, the client has gone, or the process stops. */
  readonly over: boolean
}

/** Waits `ms` at most, for as long as none of the signals is aborted. */
export function createWait(group: LiveGroup, ms: number, signals: readonly AbortSignal[]): Wait {
  let turn = new AbortController()
  let over = ms <= 0 || signals.some(({ aborted }) => aborted)
  const end = () => {
    over = true
    turn.abort()
  }
  const timer = setTimeout(end, ms)
  let sooner: NodeJS.Timeout | undefined
  for (const signal of signals) signal.addEventListener("abort", end)
  const unwatch = group.watch(() => turn.abort())
  return {
    turn() {
      if (turn.signal.aborted) turn = new AbortController()
      if (over) turn.abort()
      return turn.signal
    },
    shorten(within) {
      clearTimeout(sooner)
      const current = turn
      sooner = setTimeout(() => current.abort(), within)
    },
    get over() {
      return over
    },
    [Symbol.dispose]() {
      clearTimeout(timer)
      clearTimeout(sooner)
      unwatch()
      for (const signal of signals) signal.removeEventListener("abort", end)
    },
  }
}

/** Resolves once a signal is aborted. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener("abort", () => resolve(), { once: true })
  await promise
}
