import { SignalboxError } from "../core/errors.ts"

const unitSeconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const

/** Seconds of `90s`, `30m`, `24h`, `7d` or `0`. Throws `bad_request` naming the option. */
export function readDuration(text: string, option: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text)
  if (match === null && text !== "0") {
    throw new SignalboxError("bad_request", `--${option} takes a duration: 90s, 30m, 24h, 7d, or 0`)
  }
  const unit = match?.[2]
  const seconds = unit === "s" || unit === "m" || unit === "h" || unit === "d" ? unitSeconds[unit] : 0
  return Number(match?.[1] ?? 0) * seconds
}
