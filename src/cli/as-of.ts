import { instant } from "../api/instant.ts"
import { SignalboxError } from "../core/errors.ts"
import { textOption, type OptionValues } from "./command.ts"

/** Option of every command that tells what was known at an earlier time, by the hub's clock. */
export const asOfOption = { "as-of": { type: "string" } } as const

/** The query parameter that it becomes: `asOf=…`, or nothing. Throws `bad_request` for what is no time. */
export function asOfQuery(options: OptionValues): URLSearchParams {
  const given = textOption(options, "as-of")
  if (given === undefined) return new URLSearchParams()
  const { data, error } = instant.safeParse(given)
  if (data !== undefined) return new URLSearchParams({ asOf: data.toISOString() })
  throw new SignalboxError("bad_request", `--as-of ${error?.issues[0]?.message}`)
}
