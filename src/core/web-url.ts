const maxChars = 2048

/**
 * The value where it is an absolute http(s) URL of 2,048 characters or fewer, as it was written; else
 * null. Other schemes are refused because event URLs become links in pages (`javascript:`).
 */
export function webUrlOrNull(value: unknown): string | null {
  if (typeof value !== "string" || value.length > maxChars || !/^https?:\/\//i.test(value)) return null
  if (/[\s\p{Cc}]/u.test(value) || !value.isWellFormed()) return null
  return URL.canParse(value) ? value : null
}
