import type { Clock } from "../../../core/clock.ts"
import { SignalboxError } from "../../../core/errors.ts"

/** What Linear's answers say is left for this key: requests, and the complexity of queries. */
export interface Budget {
  /** Throws `too_many_requests` where the last answer left no more than the reserve. */
  check(): void
  /** Takes in the headers of an answer. */
  note(headers: Headers | undefined): void
}

/** Part of each limit that is left to whatever else works with the key. */
const reserve = 0.1

const kinds = ["requests", "complexity"] as const

/** Keeps to the limits told by the headers; where an answer tells none, nothing is held back. */
export function createBudget(clock: Clock): Budget {
  let resetAt: number | null = null
  return {
    check: () => {
      const left = resetAt === null ? 0 : resetAt - clock().getTime()
      if (left > 0) throw limited(left / 1000)
    },
    note: (headers) => {
      resetAt = null
      for (const kind of kinds) {
        const limit = numberIn(headers, `x-ratelimit-${kind}-limit`)
        const remaining = numberIn(headers, `x-ratelimit-${kind}-remaining`)
        const reset = numberIn(headers, `x-ratelimit-${kind}-reset`) // Unix milliseconds
        if (limit === null || remaining === null || reset === null) continue
        if (remaining <= limit * reserve) resetAt = Math.max(resetAt ?? 0, reset)
      }
    },
  }
}

/** Seconds that the headers of a refusal ask to wait; a minute where they do not say. */
export function waitSeconds(headers: Headers | undefined, now: Date): number {
  const asked = numberIn(headers, "retry-after")
  if (asked !== null) return asked
  const resets = kinds
    .filter((kind) => (numberIn(headers, `x-ratelimit-${kind}-remaining`) ?? 1) <= 0)
    .map((kind) => numberIn(headers, `x-ratelimit-${kind}-reset`) ?? 0)
  const wait = Math.max(0, ...resets) - now.getTime()
  return wait > 0 ? wait / 1000 : 60
}

/** The refusal, by Linear or by ourselves before it. */
export function limited(seconds: number, cause?: unknown): SignalboxError {
  return new SignalboxError("too_many_requests", "the limit of Linear's API for this key is reached", {
    retryAfter: Math.max(1, Math.ceil(seconds)),
    cause,
  })
}

function numberIn(headers: Headers | undefined, name: string): number | null {
  const text = headers?.get(name) ?? ""
  return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : null
}
