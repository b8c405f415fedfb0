import { hash, timingSafeEqual } from "node:crypto"
import { type Fields, fieldsOf } from "../../core/fields.ts"
import { verifyHmac } from "../../core/hmac.ts"
import type { InboundRequest, Secret, Verification } from "../../core/platform.ts"

/** How far a signed time may be from our clock. */
const toleranceSeconds = 60
const maxChars = 4096
const base64url = /^[A-Za-z0-9_-]*$/

/**
 * Checks a JSON Web Signature (RFC 7515) whose claims have the SHA-256 of the body. Only HS256 is taken,
 * whatever the token asks for (RFC 8725, section 3.1), and nothing is read of it before its HMAC is right.
 * `exp` and `nbf` count where they are there.
 */
export function verifyBodyToken(
  token: string | undefined,
  issuer: string,
  { body, receivedAt }: Pick<InboundRequest, "body" | "receivedAt">,
  secrets: readonly Secret[],
): Verification {
  if (token === undefined || token === "")
    return refused("signature_missing", "the signature header is missing")
  const parts = token.length > maxChars ? [] : token.split(".")
  const [header = "", claims = "", signature = ""] = parts
  if (parts.length !== 3 || !base64url.test(header) || !base64url.test(claims)) {
    return refused("signature_malformed", "the signature is no JSON Web Signature in its compact form")
  }
  const { alg, crit } = jsonOf(header)
  if (alg !== "HS256" || crit !== undefined) {
    return refused("signature_malformed", "the signature must be made by HS256, with no critical extension")
  }
  const verification = verifyHmac(
    "sha256-base64url",
    signature === "" ? "-" : signature, // it is there, but malformed
    [`${header}.${claims}`],
    secrets,
  )
  if (!verification.ok) return verification
  return problemOf(jsonOf(claims), issuer, body, receivedAt.getTime() / 1000) ?? verification
}

function problemOf(claims: Fields, issuer: string, body: Buffer, now: number): Verification | null {
  const { iss, sha256, exp, nbf } = claims
  if (iss !== issuer) return refused("signature_mismatch", `the claim iss must be ${issuer}`)
  if (exp !== undefined && !(typeof exp === "number" && exp > now - toleranceSeconds)) {
    return refused("timestamp_outside_tolerance", "the signature has expired")
  }
  if (nbf !== undefined && !(typeof nbf === "number" && nbf < now + toleranceSeconds)) {
    return refused("timestamp_outside_tolerance", "the signature is not valid yet")
  }
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/i.test(sha256)) {
    return refused("signature_malformed", "the claim sha256 must be 64 hexadecimal digits")
  }
  return timingSafeEqual(Buffer.from(sha256, "hex"), hash("sha256", body, "buffer"))
    ? null
    : refused("signature_mismatch", "the claim sha256 is not the hash of the body")
}

function jsonOf(part: string): Fields {
  try {
    return fieldsOf(JSON.parse(Buffer.from(part, "base64url").toString("utf8")))
  } catch {
    return fieldsOf(null)
  }
}

function refused(code: Exclude<Verification, { ok: true }>["code"], reason: string): Verification {
  return { ok: false, code, reason }
}
