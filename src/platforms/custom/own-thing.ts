import { platformNames } from "../../core/envelope.ts"

const others: ReadonlySet<string> = new Set(platformNames.filter((name) => name !== "custom"))

/** Whether a key is of no platform but the user's own, so that nobody else tells of that thing. */
export function isOwnThing(key: string): boolean {
  const [platform = ""] = key.split(":", 1)
  return !others.has(platform)
}
