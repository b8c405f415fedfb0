const maxChars = 64

/**
 * A sender's word as one segment of an event type, lower snake case: `issue_sla` for `IssueSLA`,
 * `pre_prod` for `Pre-Prod`; null where no letter or digit is left. At most 64 characters.
 */
export function typeSegment(word: unknown): string | null {
  if (typeof word !== "string") return null
  const segment = word
    .slice(0, 4 * maxChars)
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, maxChars)
  return segment === "" ? null : segment
}
