/** Seconds before the second attempt, the third, …: those of Standard Webhooks, three days in all. */
export const standardSchedule: readonly number[] = [
  5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
]

const jitter = 0.2

/**
 * Milliseconds to wait after the `attempts`th attempt failed, with a fifth either way left to chance;
 * undefined where it was the last. `chance` is from 0 up to 1.
 */
export function retryWait(schedule: readonly number[], attempts: number, chance: number): number | undefined {
  const seconds = schedule[attempts - 1]
  return seconds === undefined ? undefined : seconds * 1_000 * (1 - jitter + 2 * jitter * chance)
}

const longestRetryAfterMs = 3_600_000

/** Milliseconds that a `Retry-After` asks for (RFC 9110, section 10.2.3), an hour at most; 0 for none. */
export function retryAfterMs(value: string | null, now: Date): number {
  if (value === null) return 0
  const text = value.trim()
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now.getTime()
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), longestRetryAfterMs) : 0
}
