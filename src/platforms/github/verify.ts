import { verifyHexHmac } from "../../core/hmac.ts"
import type { InboundRequest, Secret, Verification } from "../../core/platform.ts"

const scheme = "sha256="

/**
 * `X-Hub-Signature-256: sha256=<hex>` over the raw body, which for a form-encoded hook is the form.
 * The older SHA-1 header beside it is not looked at.
 */
export function verify({ headers, body }: InboundRequest, secrets: readonly Secret[]): Verification {
  const header = headers["x-hub-signature-256"]
  if (header === undefined || header === "") {
    return { ok: false, code: "signature_missing", reason: "the header X-Hub-Signature-256 is missing" }
  }
  if (!header.startsWith(scheme)) {
    const reason = "X-Hub-Signature-256 does not begin with sha256="
    return { ok: false, code: "signature_malformed", reason }
  }
  const hex = header.slice(scheme.length)
  // An empty rest is a malformed signature; the check beneath would call it a missing one.
  return verifyHexHmac(hex === "" ? scheme : hex, body, secrets)
}
