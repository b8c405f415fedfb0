import { SignalboxError } from "../core/errors.ts"
import { nearestName } from "../core/nearest-name.ts"

/** By platform the names that its sender uses (`pull_request:opened`, `push`); absent where any may come. */
export type KnownNames = Readonly<Record<string, readonly string[] | undefined>>

/**
 * Throws `configuration` for a name that the platform's sender never uses, with the one that was
 * probably meant: such a handler would wait in silence for ever.
 */
export function checkName(platform: string, name: string, known: KnownNames): void {
  const names = known[platform]
  if (names === undefined) return
  const events = new Set(names.map((one) => one.split(":", 1)[0] ?? one))
  const event = name.endsWith(":*") ? name.slice(0, -2) : name
  if (names.includes(name) || events.has(event)) return
  const meant = nearestName(name, new Set([...names, ...events]))
  const suggestion = meant === undefined ? "" : `; did you mean "${meant}"?`
  throw new SignalboxError(
    "configuration",
    `${platform} has no event "${name}"${suggestion} (an event that is newer than this list: on("${platform}.…"))`,
  )
}
