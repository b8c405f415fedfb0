import { platformNames } from "../../../core/envelope.ts"
import { SignalboxError } from "../../../core/errors.ts"
import { nearestName } from "../../../core/nearest-name.ts"
import { knownNames } from "../../../event-maps.ts"
import type { Db } from "../../../store/database.ts"
import { hasTypeUnder } from "../../../store/dry-run.ts"

/**
 * Throws `bad_request` for a type pattern that is near the name of a platform, or of an event that GitHub
 * sends, and that no event of the tenant has ever fitted: a rule that reads nothing changes nothing, which
 * would pass for an answer. A custom event's type may begin with any word, so what is stored goes before.
 */
export async function expectTypes(
  db: Db,
  tenant: string,
  selectors: readonly { rule: string; on: string }[],
): Promise<void> {
  for (const { rule, on } of selectors) {
    const doubt = doubtOf(on)
    if (doubt === undefined || (await hasTypeUnder(db, tenant, doubt.name))) continue
    throw new SignalboxError(
      "bad_request",
      `correlation rule "${rule}": on "${on}" reads nothing, since no event here is of a type ${doubt.name}: did you mean "${doubt.meant}${on.slice(doubt.name.length)}"?`,
    )
  }
}

/** The part of a pattern that is nobody's name, and the name that is near it. */
function doubtOf(on: string): { name: string; meant: string } | undefined {
  const [first = "", second = ""] = on.split(".")
  if (first.includes("*")) return undefined
  if (!platformNames.some((platform) => platform === first)) {
    const meant = nearestName(first, platformNames)
    return meant === undefined ? undefined : { name: first, meant }
  }
  const events = new Set(knownNames[first]?.map((name) => name.split(":", 1)[0] ?? name))
  if (second === "" || second.includes("*") || events.has(second)) return undefined
  const meant = nearestName(second, events)
  return meant === undefined ? undefined : { name: `${first}.${second}`, meant: `${first}.${meant}` }
}
