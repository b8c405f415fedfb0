import { SignalboxError } from "../../../core/errors.ts"
import type { Fields } from "../../../core/fields.ts"
import type { OptionValues } from "../../command.ts"

/**
 * The settings that `--setting KEY=VALUE` names. A value is text, unless it is a whole number, `true`,
 * `false`, `null`, or a list or object in JSON.
 */
export function readSettings(options: OptionValues): Fields {
  const given = options["setting"]
  const settings: [string, unknown][] = []
  for (const pair of Array.isArray(given) ? given : []) {
    const [key = "", ...rest] = String(pair).split("=")
    if (key === "" || rest.length === 0) {
      throw new SignalboxError("bad_request", "--setting takes KEY=VALUE")
    }
    settings.push([key, readValue(key, rest.join("="))])
  }
  return Object.fromEntries(settings)
}

// A number of more digits would lose some, and one that begins with 0 is an identifier.
const plain = /^(?:true|false|null|-?(?:0|[1-9]\d{0,14}))$/

function readValue(key: string, value: string): unknown {
  if (!plain.test(value) && !/^[[{]/.test(value)) return value
  try {
    return JSON.parse(value)
  } catch (cause) {
    throw new SignalboxError("bad_request", `--setting ${key} is not JSON: ${value}`, { cause })
  }
}
