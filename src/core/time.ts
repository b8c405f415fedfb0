const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})$/i

/** Last millisecond of the year 9999: later times have no four-digit year, which RFC 3339 asks for. */
const latest = 253_402_300_799_999

/** The instant of an RFC 3339 string from 1970 to 9999; null for anything else. */
export function timeOrNull(value: unknown): Date | null {
  return typeof value === "string" && rfc3339.test(value) ? unixTimeOrNull(Date.parse(value)) : null
}

/** The instant of a number of Unix milliseconds between 1970 and 9999; null for anything else. */
export function unixTimeOrNull(milliseconds: unknown): Date | null {
  if (typeof milliseconds !== "number" || !(milliseconds >= 0 && milliseconds <= latest)) return null
  return new Date(milliseconds)
}

const mostAheadMs = 300_000

/**
 * A time that somebody's clock tells of what came here at `receivedAt`: what lies further ahead than clocks differ
 * is taken for five minutes after that. So a wrong clock has the last word for no longer, and what is made of an
 * event hangs on the event alone.
 */
export function notAheadOf(receivedAt: Date, time: Date): Date {
  const latestMs = receivedAt.getTime() + mostAheadMs
  return time.getTime() > latestMs ? new Date(latestMs) : time
}
