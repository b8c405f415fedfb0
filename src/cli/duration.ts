import { durationSeconds } from "../core/duration.ts"
import { SignalboxError } from "../core/errors.ts"

/** Seconds of `90s`, `30m`, `24h`, `7d` or `0`. Throws `bad_request` naming the option. */
export function readDuration(text: string, option: string): number {
  const seconds = text === "0" ? 0 : durationSeconds(text)
  if (seconds === undefined) {
    throw new SignalboxError("bad_request", `--${option} takes a duration: 90s, 30m, 24h, 7d, or 0`)
  }
  return seconds
}
