import { fieldsOf } from "../../core/fields.ts"
import { mediaType } from "../../core/payload.ts"
import type { Message, Reply } from "../../core/platform.ts"
import { formType } from "./delivery.ts"

const maxChallenge = 1024

/**
 * Answers the two questions Slack asks of an address: `url_verification`, which is signed and wants its
 * challenge back, and the `ssl_check=1` form, which may come unsigned and is told nothing but 200.
 */
export function handshake({ payload, contentType }: Message, verified: boolean): Reply | null {
  const { type, challenge, ssl_check: sslCheck } = fieldsOf(payload)
  if (mediaType(contentType) === formType) return sslCheck === "1" ? { status: 200, body: null } : null
  if (!verified || type !== "url_verification") return null
  if (typeof challenge !== "string" || challenge.length > maxChallenge) return null
  return { status: 200, body: { challenge } }
}
