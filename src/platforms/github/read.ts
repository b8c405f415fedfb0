import { listOf } from "../../core/fields.ts"
import { textOrNull } from "../../core/text.ts"

/**
 * Reading of bodies that nobody vouches for. Paths are dotted (`pull_request.head.sha`); whatever is
 * missing, or is of another kind than expected, reads as absent and never throws.
 */
export function at(value: unknown, path: string): unknown {
  let current = value
  for (const key of path.split(".")) {
    if (!hasOwn(current, key)) return undefined
    current = current[key]
  }
  return current
}

// Own properties alone, of objects and arrays: a path must not wander into a prototype.
function hasOwn(value: unknown, key: string): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
}

/** Text fit for the database, at most `maxChars` long; null where there is none. */
export function text(value: unknown, path: string, maxChars = 1024): string | null {
  return textOrNull(at(value, path), maxChars)
}

/** The first of several paths that holds text. */
export function firstText(value: unknown, paths: readonly string[], maxChars?: number): string | null {
  for (const path of paths) {
    const found = text(value, path, maxChars)
    if (found !== null) return found
  }
  return null
}

/** A list of at most `max` entries; empty where there is none. */
export function list(value: unknown, path: string, max = 2048): readonly unknown[] {
  return listOf(at(value, path)).slice(0, max)
}

/** A number as GitHub counts pull requests and issues: an integer from 1 to 2^53 - 1. */
export function count(value: unknown, path: string): number | null {
  const found = at(value, path)
  return typeof found === "number" && Number.isSafeInteger(found) && found > 0 ? found : null
}

/** An id, kept as text: digits, or a node id. */
export function id(value: unknown, path: string): string | null {
  const found = at(value, path)
  if (typeof found === "string") return /^[\w=-]{1,128}$/.test(found) ? found : null
  return typeof found === "number" && Number.isSafeInteger(found) && found >= 0 ? String(found) : null
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/
const earliest = Date.UTC(2000, 0)
const latest = Date.UTC(10_000, 0)

/** A time, from RFC 3339 text or (a push's `pushed_at`) Unix seconds; null outside 2000 to 9999. */
export function time(value: unknown, path: string): Date | null {
  const found = at(value, path)
  const ms =
    typeof found === "number"
      ? found * 1000
      : typeof found === "string" && rfc3339.test(found)
        ? Date.parse(found)
        : Number.NaN
  return ms >= earliest && ms < latest ? new Date(ms) : null
}

/** An http or https address; anything else, such as `javascript:`, is no address of ours. */
export function webAddress(value: unknown, path: string): string | null {
  const found = at(value, path)
  if (typeof found !== "string" || found.length > 2048 || !/^https?:\/\//i.test(found)) return null
  return URL.canParse(found) ? (textOrNull(found) ?? null) : null
}
