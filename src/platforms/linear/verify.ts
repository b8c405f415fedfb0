import { verifyHexHmac } from "../../core/hmac.ts"
import type { InboundRequest, Secret, Verification } from "../../core/platform.ts"

/**
 * `linear-signature` is the bare hex HMAC-SHA256 of the raw body. The body's `webhookTimestamp` is
 * deliberately not held against the clock: a retry comes up to 6 hours later and may carry the original
 * time, so refusing it would lose the event. A replay is recognized by its delivery key instead.
 */
export function verify({ headers, body }: InboundRequest, secrets: readonly Secret[]): Verification {
  return verifyHexHmac(headers["linear-signature"], body, secrets)
}
