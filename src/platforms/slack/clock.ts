import { unixTimeOrNull } from "../../core/time.ts"

/** The instant of Slack's `seconds.microseconds`, to the millisecond; null for what is none. */
export function timeOf(ts: unknown): Date | null {
  const match = typeof ts === "string" ? /^(\d{1,12})\.(\d{1,6})$/.exec(ts) : null
  if (match === null) return null
  const [, seconds = "", fraction = ""] = match
  return unixTimeOrNull(Number(seconds) * 1000 + Number(fraction.padEnd(3, "0").slice(0, 3)))
}

/** The instant of whole Unix seconds (`event_time`, `cache_ts`); null for what is none. */
export function timeOfSeconds(seconds: unknown): Date | null {
  return typeof seconds === "number" ? unixTimeOrNull(seconds * 1000) : null
}
