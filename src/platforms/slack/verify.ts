import { verifyHexHmac } from "../../core/hmac.ts"
import type { InboundRequest, Secret, Verification } from "../../core/platform.ts"

const toleranceSeconds = 300
const scheme = "v0="

/**
 * `x-slack-signature` is `v0=` and the hex HMAC-SHA256 of `v0:<timestamp>:<raw body>`. The timestamp
 * must be within 300 s of the request's arrival, earlier or later: every retry is signed anew.
 */
export function verify(
  { headers, body, receivedAt }: InboundRequest,
  secrets: readonly Secret[],
): Verification {
  const stamp = headers["x-slack-request-timestamp"] ?? ""
  const signature = headers["x-slack-signature"] ?? ""
  if (stamp === "" || signature === "") {
    return {
      ok: false,
      code: "signature_missing",
      reason: "x-slack-signature and x-slack-request-timestamp are both needed",
    }
  }
  if (!/^\d{1,12}$/.test(stamp) || !signature.startsWith(scheme)) {
    return {
      ok: false,
      code: "signature_malformed",
      reason: "the signature is not of version v0, or its timestamp is no whole number of seconds",
    }
  }
  if (Math.abs(receivedAt.getTime() / 1000 - Number(stamp)) > toleranceSeconds) {
    return {
      ok: false,
      code: "timestamp_outside_tolerance",
      reason: `the signed time is more than ${toleranceSeconds} seconds from the receiver's clock`,
    }
  }
  return verifyHexHmac(signature.slice(scheme.length), [`v0:${stamp}:`, body], secrets)
}
