import { cleanText } from "../core/text.ts"

// How JSON.stringify writes what `text` and `jsonb` refuse: NUL and lone surrogates. An escaped
// backslash before such letters is taken for one of them too, which costs time and nothing else.
const unstorable = /\\u0000|\\ud[89a-f]/

/**
 * A row as JSON that PostgreSQL takes: NUL and lone surrogates in it, keys included, become U+FFFD.
 * Throws where the value is not JSON at all (a cycle, a BigInt, nesting beyond the stack).
 */
export function jsonRow(row: object): string {
  const text = JSON.stringify(row)
  return unstorable.test(text) ? JSON.stringify(storable(row)) : text
}

/** The rows as one JSON array, for `jsonb_to_recordset`. */
export function jsonRows(rows: readonly string[]): string {
  return `[${rows.join(",")}]`
}

function storable(value: unknown): unknown {
  if (typeof value === "string") return cleanText(value, Infinity)
  if (Array.isArray(value)) return value.map(storable)
  if (typeof value !== "object" || value === null || "toJSON" in value) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [cleanText(key, Infinity), storable(member)]),
  )
}
