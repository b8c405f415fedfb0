import { environmentOfWord } from "../../core/environment-name.ts"
import { typeSegment } from "../../core/segment.ts"

/** What makes production of another kind: `pre-prod`, `non-prod`. */
const qualifiers: ReadonlyMap<string, string> = new Map([
  ["pre", "staging"],
  ["non", "unknown"],
  ["not", "unknown"],
])

/**
 * The kind of an environment: as told, by its usual word (`prod` is `production`), else read from the
 * environment's name (`prod-eu`, `preview/pr-42`), else `unknown`. A name that speaks of two kinds is of
 * none. Always fit to be a segment of an event's type.
 */
export function environmentKindOf(told: string | null, environment: string | null): string {
  const given = told === null ? null : typeSegment(told)
  if (given !== null) return environmentOfWord(given.replaceAll("_", "")) ?? given
  const parts = typeSegment(environment)?.split("_") ?? []
  const kinds = new Set<string>()
  for (const [index, part] of parts.entries()) {
    const kind = environmentOfWord(part)
    if (kind === null) continue
    const qualifier = qualifiers.get(parts[index - 1] ?? "")
    kinds.add(kind === "production" && qualifier !== undefined ? qualifier : kind)
  }
  const [only] = kinds
  return kinds.size === 1 && only !== undefined ? only : "unknown"
}
