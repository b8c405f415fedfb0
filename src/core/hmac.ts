import { createHmac, timingSafeEqual } from "node:crypto"
import type { Secret, Verification } from "./platform.ts"

const sha256Hex = /^[0-9a-f]{64}$/

/**
 * Compares a lower-case hex HMAC-SHA256 with the one of `content` under each secret in force.
 * The form is checked first: `timingSafeEqual` throws on buffers of unequal length.
 */
export function verifyHexHmac(
  signature: string | undefined,
  content: Buffer | readonly (string | Buffer)[],
  secrets: readonly Secret[],
): Verification {
  if (signature === undefined || signature === "") {
    return { ok: false, code: "signature_missing", reason: "the signature header is missing" }
  }
  if (!sha256Hex.test(signature)) {
    return {
      ok: false,
      code: "signature_malformed",
      reason: "the signature is not 64 lower-case hexadecimal digits",
    }
  }
  const given = Buffer.from(signature, "hex")
  const parts = Buffer.isBuffer(content) ? [content] : content
  for (const secret of secrets) {
    const hmac = createHmac("sha256", secret.value)
    for (const part of parts) hmac.update(part)
    if (timingSafeEqual(hmac.digest(), given)) return { ok: true, secretId: secret.id }
  }
  return { ok: false, code: "signature_mismatch", reason: "the signature matches no secret in force" }
}
