import { SignalboxError } from "../core/errors.ts"
import { cleanText } from "../core/text.ts"
import type { SweepPause } from "../store/completeness.ts"
import type { ReconcileOptions } from "./options.ts"

const firstBackoffMs = 30_000
const defaultLimitS = 60
/** No provider's limit lasts longer; a header that says so is one in another unit, or no time at all. */
const longestLimitS = 86_400

/**
 * What a failure means for the source: when to go on, and what to tell its operator. A limit is
 * obeyed to the second, what may pass is tried again ever more slowly, what somebody must mend after
 * a quarter of an hour.
 */
export function setbackOf(
  error: unknown,
  { now, failures, options }: { now: Date; failures: number; options: Required<ReconcileOptions> },
): SweepPause & { problem: string } {
  const after = (ms: number): Date => new Date(now.getTime() + ms)
  const backoffMs = Math.min(firstBackoffMs * 2 ** failures, options.retryMs)
  if (!(error instanceof SignalboxError)) {
    const problem = "a fault within the hub: its log has it"
    return { now, nextAt: after(backoffMs), problem, limitedUntil: null, failures: failures + 1 }
  }
  const { code, retryable, retryAfter = 0 } = error
  const problem = cleanText(error.message, 1_000)
  if (code === "too_many_requests") {
    const nextAt = after(Math.min(retryAfter || defaultLimitS, longestLimitS) * 1_000)
    return { now, nextAt, problem, limitedUntil: nextAt, failures: 0 }
  }
  const waitMs = retryable
    ? Math.max(backoffMs, Math.min(retryAfter, longestLimitS) * 1_000)
    : options.retryMs
  return { now, nextAt: after(waitMs), problem, limitedUntil: null, failures: failures + 1 }
}
