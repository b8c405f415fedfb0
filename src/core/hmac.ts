import { createHmac, timingSafeEqual } from "node:crypto"
import type { Secret, Verification } from "./platform.ts"

/** How a sender writes its HMAC. */
interface HmacForm {
  algorithm: "sha1" | "sha256"
  encoding: "hex" | "base64" | "base64url"
  /** Checked first: `timingSafeEqual` throws on buffers of unequal length. */
  form: RegExp
  /** What the form asks for, in words. */
  described: string
}

const forms = {
  "sha256-hex": {
    algorithm: "sha256",
    encoding: "hex",
    form: /^[0-9a-f]{64}$/,
    described: "64 lower-case hexadecimal digits",
  },
  "sha1-hex": {
    algorithm: "sha1",
    encoding: "hex",
    form: /^[0-9a-f]{40}$/,
    described: "40 lower-case hexadecimal digits",
  },
  // The last letter before the padding stands for four bits: the others would be read as the same bytes.
  "sha256-base64": {
    algorithm: "sha256",
    encoding: "base64",
    form: /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/,
    described: "32 bytes in base64",
  },
  "sha256-base64url": {
    algorithm: "sha256",
    encoding: "base64url",
    form: /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/,
    described: "32 bytes in base64url",
  },
} as const satisfies Record<string, HmacForm>

/** Compares an HMAC, written as `kind` says, with the one of `content` under each secret in force. */
export function verifyHmac(
  kind: keyof typeof forms,
  signature: string | undefined,
  content: Buffer | readonly (string | Buffer)[],
  secrets: readonly Secret[],
): Verification {
  if (signature === undefined || signature === "") {
    return { ok: false, code: "signature_missing", reason: "the signature header is missing" }
  }
  const { algorithm, encoding, form, described } = forms[kind]
  if (!form.test(signature)) {
    return { ok: false, code: "signature_malformed", reason: `the signature is not ${described}` }
  }
  const given = Buffer.from(signature, encoding)
  const parts = Buffer.isBuffer(content) ? [content] : content
  for (const secret of secrets) {
    const hmac = createHmac(algorithm, secret.value)
    for (const part of parts) hmac.update(part)
    if (timingSafeEqual(hmac.digest(), given)) return { ok: true, secretId: secret.id }
  }
  return { ok: false, code: "signature_mismatch", reason: "the signature matches no secret in force" }
}

/** The same for a lower-case hex HMAC-SHA256. */
export function verifyHexHmac(
  signature: string | undefined,
  content: Buffer | readonly (string | Buffer)[],
  secrets: readonly Secret[],
): Verification {
  return verifyHmac("sha256-hex", signature, content, secrets)
}
