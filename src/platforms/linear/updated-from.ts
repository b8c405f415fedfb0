import { isFields } from "../../core/fields.ts"
import { cleanText } from "../../core/text.ts"

const maxDepth = 8
const maxMembers = 200

/**
 * `updatedFrom`, the values before an update, as `jsonb` takes them: strings without NUL and lone
 * surrogates, and nothing nested deeper than Linear ever does. Null for anything but an object.
 */
export function updatedFrom(value: unknown): Record<string, unknown> | null {
  if (!isFields(value)) return null
  const kept = clean(value, maxDepth)
  return isFields(kept) ? kept : null
}

function clean(value: unknown, depth: number): unknown {
  if (typeof value === "string") return cleanText(value)
  if (typeof value !== "object" || value === null) return value
  if (depth === 0) return null
  if (Array.isArray(value)) return value.slice(0, maxMembers).map((one) => clean(one, depth - 1))
  // fromEntries defines members, where assignment would follow a `__proto__` of the payload.
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, maxMembers)
      .map(([name, one]) => [cleanText(name, 256), clean(one, depth - 1)]),
  )
}
