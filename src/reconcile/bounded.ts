import { SignalboxError } from "../core/errors.ts"

/**
 * Waits for `work` for `ms` at most, and not past `signal`. It is told by the signal that it is given
 * when nobody waits any more, but need not obey: a call that hangs holds up nobody. Throws
 * `unavailable` when time is up, and the signal's reason when that ends it.
 */
export async function bounded<T>(
  { ms, signal, what }: { ms: number; signal: AbortSignal; what: string },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const over = new AbortController()
  const end = (): void => over.abort(signal.reason)
  signal.addEventListener("abort", end, { once: true })
  const timer = setTimeout(() => {
    over.abort(new SignalboxError("unavailable", `${what} did not answer within ${ms / 1_000} s`))
  }, ms)
  const ended = Promise.withResolvers<never>()
  over.signal.addEventListener("abort", () => ended.reject(over.signal.reason), { once: true })
  try {
    return await Promise.race([work(over.signal), ended.promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", end)
  }
}

/** Does `work` for each item, for `atOnce` of them at a time; after a failure begins no more, and throws it. */
export async function eachOf<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const rest = items.values()
  let failed = false
  async function lane(): Promise<void> {
    for (const item of rest) {
      if (failed) return
      try {
        await work(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const lanes = Array.from({ length: Math.min(atOnce, items.length) }, lane)
  for (const done of await Promise.allSettled(lanes)) if (done.status === "rejected") throw done.reason
}
