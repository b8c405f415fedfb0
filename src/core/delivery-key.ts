import { createHash } from "node:crypto"
import { cleanText } from "./text.ts"

/** What `event_keys.delivery_id` holds at most, in bytes of UTF-8. */
const maxBytes = 512

/** A delivery key as it can be stored; one of more than 512 bytes is replaced by its SHA-256. */
export function deliveryKey(key: string): string {
  const clean = cleanText(key, Infinity)
  return Buffer.byteLength(clean) <= maxBytes ? clean : sha256(clean)
}

/** The key of a delivery that names none: `sha256:` and the hex digest of its body. */
export function bodyKey(body: Buffer): string {
  return sha256(body)
}

function sha256(content: string | Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`
}
