import { hash } from "node:crypto"

const maxShown = 256

/** A text as a state holds it: itself, or where it is long a digest, by which a change is still seen. */
export function stateOfText(text: string | null): string | null {
  if (text === null || text.length <= maxShown) return text
  return `sha256:${hash("sha256", text)}`
}
