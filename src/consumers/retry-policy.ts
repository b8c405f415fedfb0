import { SignalboxError } from "../core/errors.ts"

/** How often a failed run is tried again, and when. */
export interface RetryPolicy {
  /** Attempts in all, the first included (5). */
  attempts: number
  /** Wait before the second attempt (1,000). */
  initialMs: number
  /** What each further wait is multiplied by (2). */
  factor: number
  /** No wait is longer (60,000). */
  maxMs: number
  /** Share of each wait that is left to chance, 0 to 1, so that what failed together returns apart (0.5). */
  jitter: number
}

const defaults: RetryPolicy = { attempts: 5, initialMs: 1_000, factor: 2, maxMs: 60_000, jitter: 0.5 }

/** Fills in what a policy leaves open; throws `configuration` for figures that make no sense. */
export function retryPolicy(given: Partial<RetryPolicy> = {}): RetryPolicy {
  const policy = { ...defaults, ...given }
  const sound =
    Number.isInteger(policy.attempts) &&
    policy.attempts >= 1 &&
    policy.initialMs >= 0 &&
    policy.factor >= 1 &&
    policy.maxMs >= 0 &&
    policy.jitter >= 0 &&
    policy.jitter <= 1
  if (!sound) {
    throw new SignalboxError(
      "configuration",
      "retry: attempts must be a whole number of 1 or more, factor 1 or more, jitter from 0 to 1, and times not negative",
    )
  }
  return policy
}

/** Milliseconds to wait after the `attempts`th attempt failed; `chance` is from 0 up to 1. */
export function retryDelay(policy: RetryPolicy, attempts: number, chance: number): number {
  const full = Math.min(policy.maxMs, policy.initialMs * policy.factor ** (attempts - 1))
  return full * (1 - policy.jitter * chance)
}
