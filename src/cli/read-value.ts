import { instant, timeFault } from "../api/instant.ts"
import { durationSeconds } from "../core/duration.ts"
import { SignalboxError } from "../core/errors.ts"
import { textOption, type OptionValues } from "./command.ts"

const otherTimes = ", a date such as 2026-11-01, or how long ago: 90s, 30m, 24h, 7d, or 0"

// What ids of events can tell, and four digits of a year.
const earliest = new Date(0)
const beyond = new Date(Date.UTC(10_000, 0))

/** A time with its zone, a date, or a duration before now; undefined where it is not given. Throws `bad_request`. */
export function readTime(options: OptionValues, name: string, now: Date): Date | undefined {
  const given = textOption(options, name)
  if (given === undefined) return undefined
  const seconds = given === "0" ? 0 : durationSeconds(given)
  const time =
    seconds === undefined ? instant.safeParse(given).data : new Date(now.getTime() - seconds * 1_000)
  if (time === undefined) {
    throw new SignalboxError("bad_request", `--${name} ${timeFault(given, otherTimes)}`)
  }
  if (time < earliest || time >= beyond) {
    throw new SignalboxError("bad_request", `--${name} ${given} is not within the years 1970 to 9999`)
  }
  return time
}

/** A whole number; undefined where the option is not given. Throws `bad_request`. */
export function readNumber(options: OptionValues, name: string): number | undefined {
  const given = textOption(options, name)
  if (given === undefined) return undefined
  if (/^\d{1,15}$/.test(given)) return Number(given)
  throw new SignalboxError("bad_request", `--${name} takes a whole number`)
}

/** A number of any kind, whose bounds the hub knows; undefined where the option is not given. Throws `bad_request`. */
export function readDecimal(options: OptionValues, name: string): number | undefined {
  const given = textOption(options, name)
  if (given === undefined) return undefined
  const value = Number(given)
  if (given.trim() !== "" && Number.isFinite(value)) return value
  throw new SignalboxError("bad_request", `--${name} takes a number`)
}

/** What `--filter` holds, which the hub checks; undefined where it is not given. Throws `bad_request` for what is no JSON. */
export function readFilter(options: OptionValues): unknown {
  const given = textOption(options, "filter")
  if (given === undefined) return undefined
  try {
    return JSON.parse(given)
  } catch (cause) {
    const words = '--filter takes JSON, such as \'{"platforms": ["github"]}\''
    throw new SignalboxError("bad_request", words, { cause })
  }
}
