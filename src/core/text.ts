/**
 * Makes text safe for PostgreSQL `text` and `jsonb`, which refuse NUL and lone surrogates: each is
 * replaced by U+FFFD. Text past `maxChars` is cut. The raw bytes of an event keep the original.
 */
export function cleanText(text: string, maxChars = 8192): string {
  const cut = text.length > maxChars ? text.slice(0, maxChars) : text
  const wellFormed = cut.isWellFormed() ? cut : cut.toWellFormed()
  return wellFormed.includes("\0") ? wellFormed.replaceAll("\0", "\uFFFD") : wellFormed
}

/** The same for a value that may not be text at all; anything but a non-empty string gives null. */
export function textOrNull(value: unknown, maxChars?: number): string | null {
  return typeof value === "string" && value !== "" ? cleanText(value, maxChars) : null
}

const maxProse = 262_144

/**
 * Text in which references are looked for, null where there is none. It goes on past what is read of it, so that
 * a name which stands there can be told of; the reader cuts by itself.
 */
export function proseOrNull(value: unknown): string | null {
  return textOrNull(value, maxProse)
}

/** The first line that is not blank, cut with an ellipsis to `maxChars`; null where there is none. */
export function firstLine(value: unknown, maxChars = 140): string | null {
  const line = /\S[^\r\n]*/.exec(textOrNull(value) ?? "")?.[0].trimEnd()
  if (line === undefined) return null
  if (line.length <= maxChars) return line
  const cut = line.slice(0, maxChars - 1)
  return `${(cut.isWellFormed() ? cut : cut.slice(0, -1)).trimEnd()}…` // never half of a surrogate pair
}
