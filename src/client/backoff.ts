const baseMs = 250
const mostMs = 30_000
/** A timer of more would fire at once. */
const longestTimerMs = 2 ** 31 - 1

/**
 * How long to wait before try number `attempt` (from 1) after a failure: never less than the hub asked for, and
 * beyond that a random part of half of that, or of what doubles with each failure in a row: clients that were cut
 * off together do not come back together.
 */
export function backoffMs(attempt: number, askedMs: number, random: () => number = Math.random): number {
  const spread = Math.max(askedMs / 2, Math.min(mostMs, baseMs * 2 ** Math.min(attempt - 1, 20)))
  return Math.round(askedMs + random() * spread)
}

/** Waits; ends early, and without an error, where the signal is aborted. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener("abort", done)
      resolve()
    }
    const timer = setTimeout(done, Math.min(ms, longestTimerMs))
    signal.addEventListener("abort", done)
  })
}
