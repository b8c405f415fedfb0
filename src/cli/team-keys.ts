import { SignalboxError } from "../core/errors.ts"

/** Linear's keys as they are given on a command line, `ENG, plat`; in capitals. Throws `bad_request`. */
export function parseTeamKeys(list: string): ReadonlySet<string> {
  const keys = list.split(",").map((key) => key.trim().toUpperCase())
  for (const key of keys) {
    if (!/^(?=[0-9]*[A-Z])[A-Z0-9]{1,7}$/.test(key)) {
      throw new SignalboxError(
        "bad_request",
        `--team-keys holds ${JSON.stringify(key)}: a key is 1 to 7 letters and digits, several are comma-separated`,
      )
    }
  }
  return new Set(keys)
}
