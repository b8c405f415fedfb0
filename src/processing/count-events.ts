import type { EventCount } from "../store/metrics.ts"
import type { Derived } from "./derive.ts"
import type { FailedAttempt } from "./failed-attempt.ts"

const minuteMs = 60_000

/** Counts of a batch for the minute of `now`: events processed with their latency, and events dead. */
export function countEvents(
  derived: readonly Derived[],
  dead: readonly FailedAttempt[],
  now: Date,
): EventCount[] {
  const bucket = new Date(Math.floor(now.getTime() / minuteMs) * minuteMs)
  const counts = new Map<string, EventCount>()
  const countOf = ({ tenant, platform, type }: Derived["event"]): EventCount => {
    const key = `${tenant}\n${platform}\n${type}`
    let count = counts.get(key)
    if (count === undefined) {
      count = { bucket, tenant, platform, type, processed: 0, failed: 0, total_ms: 0, max_ms: 0 }
      counts.set(key, count)
    }
    return count
  }
  for (const { event } of derived) {
    const count = countOf(event)
    const totalMs = Math.max(0, now.getTime() - event.receivedAt.getTime())
    count.processed++
    count.total_ms += totalMs
    count.max_ms = Math.max(count.max_ms, totalMs)
  }
  for (const { event } of dead) countOf(event).failed++
  return [...counts.values()]
}
