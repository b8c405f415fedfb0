/** Why a body is not handed to JSON.parse. */
export type JsonExcess = "depth" | "values"

/**
 * How deep arrays and objects may be nested. Real payloads stay under 20; a JSON.stringify overflows
 * the stack near 5,000 and PostgreSQL's jsonb near 10,000, and so may any code that descends.
 */
export const maxJsonDepth = 512

/**
 * How many values one body may hold. The densest payloads seen have 38 bytes a value, so that 25 MB of
 * them hold 700,000; 25 MB of `[],[],…` would hold 9 million, and cost seconds and a gigabyte.
 */
export const maxJsonValues = 1_000_000

const quote = 0x22
const backslash = 0x5c
const comma = 0x2c
const openArray = 0x5b
const closeArray = 0x5d
const openObject = 0x7b
const closeObject = 0x7d

/**
 * Looks at JSON before it is parsed, and says which bound it passes; null where it keeps to both.
 * Bytes that are no JSON are the parser's to refuse: of them, it says only what a parser could meet.
 *
 * A payload of 12 KB costs 5 µs: nothing nests deeper than it has opening brackets, and these are
 * counted natively. Only where they are too many, or the body large, is each byte looked at (1.3 ns).
 */
export function jsonExcess(json: Buffer): JsonExcess | null {
  const mayHoldTooMany = json.length > maxJsonValues // each one counted below stands for a byte
  if (!mayHoldTooMany && !hasMoreOpeners(json, maxJsonDepth)) return null
  return scan(json)
}

function hasMoreOpeners(json: Buffer, limit: number): boolean {
  if (json.length <= limit) return false
  let left = limit
  for (const opener of [openObject, openArray]) {
    for (let at = json.indexOf(opener); at !== -1; at = json.indexOf(opener, at + 1)) {
      if (left-- === 0) return true
    }
  }
  return false
}

/** Each value but the first follows a comma or an opening bracket; an empty array counts as if it held one. */
function scan(json: Buffer): JsonExcess | null {
  let depth = 0
  let values = 1
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case quote:
        at = endOfString(json, at)
        break
      case openArray:
      case openObject:
        if (++depth > maxJsonDepth) return "depth"
        if (++values > maxJsonValues) return "values"
        break
      case closeArray:
      case closeObject:
        depth--
        break
      case comma:
        if (++values > maxJsonValues) return "values"
        break
    }
  }
  return null
}

/** Index of the closing quote; the end of the bytes where there is none. UTF-8 never hides a quote in a letter. */
function endOfString(json: Buffer, start: number): number {
  let at = start + 1
  for (; at < json.length; at++) {
    const byte = json[at]
    if (byte === quote) return at
    if (byte === backslash) at++
  }
  return at
}
