import { setTimeout as sleep } from "node:timers/promises"

/** What was last read. */
export interface Latest<T> {
  value: T
  /** Milliseconds since it was begun to be read. */
  ageMs: number
  /** Whether this question still counts as answered by it: it was read just now, or within `goodForMs`. */
  isFresh: boolean
}

export interface LatestOptions {
  /** Milliseconds for which an answer is good, once it is there. */
  goodForMs: number
  /** Milliseconds that whoever asks waits for a new one. */
  patienceMs: number
  onError: (error: unknown) => void
}

/**
 * Reads something by one question at a time, however many ask. Who asks gets what is read now, or, where that
 * takes longer than `patienceMs` or fails, what was read last; undefined where that is nothing. A read that takes
 * longer goes on, for those who ask later.
 */
export function keepLatest<T>(
  read: () => Promise<T>,
  { goodForMs, patienceMs, onError }: LatestOptions,
): () => Promise<Latest<T> | undefined> {
  let kept: { value: T; begunAt: number; endedAt: number } | undefined
  let reading: Promise<boolean> | undefined

  async function anew(): Promise<boolean> {
    const begunAt = performance.now()
    try {
      kept = { value: await read(), begunAt, endedAt: performance.now() }
      return true
    } catch (error) {
      onError(error)
      return false
    }
  }

  async function isReadInTime(): Promise<boolean> {
    if (kept !== undefined && performance.now() - kept.endedAt < goodForMs) return true
    reading ??= anew().finally(() => (reading = undefined))
    const ended = new AbortController()
    const late = sleep(patienceMs, false, { signal: ended.signal, ref: false }).catch(() => false)
    return Promise.race([reading, late]).finally(() => ended.abort())
  }

  return async function latest() {
    const isFresh = await isReadInTime()
    return kept && { value: kept.value, ageMs: performance.now() - kept.begunAt, isFresh }
  }
}
