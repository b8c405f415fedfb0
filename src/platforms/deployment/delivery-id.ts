import { cleanText } from "../../core/text.ts"

/**
 * What a delivery is known by, of several parts: percent-encoded, so that no part runs into the next.
 * Whatever is no text, number or boolean counts as empty. Null where all of them are.
 */
export function deliveryId(...parts: readonly unknown[]): string | null {
  const texts = parts.map(scalarText)
  return texts.every((text) => text === "") ? null : texts.map(encodeURIComponent).join("/")
}

function scalarText(value: unknown): string {
  if (typeof value === "string") return cleanText(value, Infinity)
  return typeof value === "number" || typeof value === "boolean" ? String(value) : ""
}
