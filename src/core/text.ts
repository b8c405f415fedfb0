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
