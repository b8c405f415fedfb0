import type { LoggedEvent } from "../core/envelope.ts"
import type { Log } from "../core/log.ts"
import type { ConsumerDefinition, RunContext } from "./definition.ts"

/** The part of a consumer that a single run needs. */
export type Runnable = Pick<ConsumerDefinition, "name" | "run" | "timeoutMs">

const defaultTimeoutMs = 30_000

/**
 * Runs a consumer on one event and answers what it answers. Throws what it throws, a TimeoutError when
 * its time is up, or the reason of `stop` when that is aborted: it is then waited for no longer,
 * whether it heeds its signal or not.
 */
export async function runOnce(
  { name, run, timeoutMs = defaultTimeoutMs }: Runnable,
  event: LoggedEvent,
  told: Pick<RunContext, "attempt" | "replayId">,
  log: Log,
  stop: AbortSignal,
): Promise<unknown> {
  const ended = new AbortController()
  const timer = setTimeout(() => {
    ended.abort(new DOMException(`the run took longer than ${timeoutMs} ms`, "TimeoutError"))
  }, timeoutMs)
  const cut = () => ended.abort(stop.reason)
  stop.addEventListener("abort", cut)
  try {
    stop.throwIfAborted()
    const running = Promise.resolve(run(event, { ...told, consumer: name, signal: ended.signal, log }))
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
