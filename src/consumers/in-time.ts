/** How long, and until when, somebody is waited for. */
export interface TimeAllowed {
  /** Milliseconds (30,000). */
  timeoutMs: number | undefined
  stop: AbortSignal
}

/**
 * Answers what `body` answers. Throws what it throws, a TimeoutError when its time is up, or the reason of
 * `stop` when that is aborted: it is then waited for no longer, whether it heeds its signal or not.
 */
export async function inTime<T>(
  what: string,
  { timeoutMs = 30_000, stop }: TimeAllowed,
  body: (signal: AbortSignal) => T | Promise<T>,
): Promise<T> {
  const ended = new AbortController()
  const timer = setTimeout(() => {
    ended.abort(new DOMException(`${what} took longer than ${timeoutMs} ms`, "TimeoutError"))
  }, timeoutMs)
  const cut = () => ended.abort(stop.reason)
  stop.addEventListener("abort", cut)
  try {
    stop.throwIfAborted()
    const running = Promise.resolve(body(ended.signal))
    running.catch(() => {}) // it may fail long after it was given up
    return await Promise.race([running, rejection(ended.signal)])
  } finally {
    clearTimeout(timer)
    stop.removeEventListener("abort", cut)
  }
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  })
}
