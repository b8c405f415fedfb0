import { setTimeout as sleep } from "node:timers/promises"
import { hashKey } from "../../auth/keys.ts"
import type { Authenticate } from "../../auth/authenticate.ts"
import { allows } from "../../auth/scopes.ts"
import { SignalboxError } from "../../core/errors.ts"
import { unavailable } from "../../store/failure.ts"

/** What may be shown to whoever asks: nothing but the process itself while keys cannot be looked up. */
export type Shown = "all" | "process"

export interface MetricsAccessOptions {
  authenticate: Authenticate
  /** Milliseconds that a key's look-up may take (2 s). */
  patienceMs?: number
}

const mostRemembered = 16
const rememberedMs = 24 * 3_600_000

/**
 * Tells what a request may see: throws 401 without a valid key, 403 without the scope `metrics:read`. A key
 * that was good within the last day still sees the process' own figures while the database is away, for these
 * are what its owner needs then; anybody else gets 503.
 */
export function metricsAccess({ authenticate, patienceMs = 2_000 }: MetricsAccessOptions) {
  const good = new Map<string, number>() // by the key's hash

  return async function access(headers: Headers): Promise<Shown> {
    const name = hashKey(headers.get("authorization") ?? "").toString("base64")
    try {
      const principal = await inTime(authenticate(headers), patienceMs)
      good.delete(name)
      if (!allows(principal, "metrics:read")) {
        throw new SignalboxError("forbidden", "this key lacks the scope metrics:read")
      }
      good.set(name, performance.now())
      const [oldest] = good.keys()
      if (good.size > mostRemembered && oldest !== undefined) good.delete(oldest)
      return "all"
    } catch (error) {
      const isAway = error instanceof SignalboxError && error.code === "unavailable"
      if (!isAway) good.delete(name) // revoked
      const seenAt = good.get(name) ?? -Infinity
      if (isAway && performance.now() - seenAt < rememberedMs) return "process"
      throw error
    }
  }
}

async function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  const ended = new AbortController()
  const late = sleep(ms, undefined, { signal: ended.signal, ref: false }).then(() => {
    throw unavailable(new Error(`no answer within ${ms} ms`))
  })
  late.catch(() => {}) // where the answer came first
  return Promise.race([answer, late]).finally(() => ended.abort())
}
