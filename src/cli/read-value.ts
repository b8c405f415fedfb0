import { SignalboxError } from "../core/errors.ts"
import { textOption, type OptionValues } from "./command.ts"
import { readDuration } from "./duration.ts"

/** A time, or a duration before now; undefined where the option is not given. Throws `bad_request`. */
export function readTime(options: OptionValues, name: string, now: Date): Date | undefined {
  const given = textOption(options, name)
  if (given === undefined) return undefined
  if (/^\d{4}-/.test(given)) {
    const time = new Date(given)
    if (!Number.isNaN(time.getTime())) return time
  }
  return new Date(now.getTime() - readDuration(given, name) * 1_000)
}

/** A whole number; undefined where the option is not given. Throws `bad_request`. */
export function readNumber(options: OptionValues, name: string): number | undefined {
  const given = textOption(options, name)
  if (given === undefined) return undefined
  if (/^\d{1,15}$/.test(given)) return Number(given)
  throw new SignalboxError("bad_request", `--${name} takes a whole number`)
}
