import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import type { InboundRequest, Secret, Verification } from "./platform.ts"

/** Standard Webhooks 1.0, symmetric scheme: `v1,` + base64 of HMAC-SHA256 over `id.timestamp.body`. */

const prefix = "whsec_"
const minBytes = 24
const maxBytes = 64
const base64 = /^[A-Za-z0-9+/]+={0,2}$/
const signatureForm = /^v1,([A-Za-z0-9+/]{43}=)$/

/** How far a signed timestamp may be from our clock, either way. */
const toleranceSeconds = 300

/** Says what is wrong with a `whsec_…` secret, in words that show none of it; null for a sound one. */
export function webhookSecretProblem(secret: string): string | null {
  if (!secret.startsWith(prefix)) return `must start with ${prefix}`
  const key = decodeKey(secret)
  if (key === null) return `must hold base64 after ${prefix}`
  if (key.length >= minBytes && key.length <= maxBytes) return null
  return `must hold ${minBytes} to ${maxBytes} bytes after ${prefix}, not ${key.length}`
}

/** A new secret of 32 random bytes. */
export function generateWebhookSecret(): string {
  return prefix + randomBytes(32).toString("base64")
}

/** What is signed; the timestamp is in Unix seconds. */
export interface SignedContent {
  id: string
  timestamp: number
  body: string | Buffer
}

/**
 * The `webhook-signature` header: one signature a secret, space-separated, so that receivers of the old
 * and of the new secret both find theirs while a secret rotates. Throws a RangeError on a malformed secret.
 */
export function signWebhook(content: SignedContent, secrets: readonly string[]): string {
  return secrets.map((secret) => `v1,${signature(content, keyOf(secret)).toString("base64")}`).join(" ")
}

/** Checks `webhook-id`, `webhook-timestamp` and `webhook-signature` against the body; pure in its arguments. */
export function verifyWebhook(
  { headers, body, receivedAt }: InboundRequest,
  secrets: readonly Secret[],
): Verification {
  const id = headers["webhook-id"] ?? ""
  const stamp = headers["webhook-timestamp"] ?? ""
  const signatures = headers["webhook-signature"] ?? ""
  if (id === "" || stamp === "" || signatures === "") {
    return refused("signature_missing", "webhook-id, webhook-timestamp and webhook-signature are all needed")
  }
  if (!/^\d{1,12}$/.test(stamp)) {
    return refused("signature_malformed", "webhook-timestamp is not a whole number of seconds")
  }
  const given = signatures.split(" ").flatMap((one) => signatureForm.exec(one)?.[1] ?? [])
  if (given.length === 0) {
    return refused("signature_malformed", "webhook-signature holds no v1 signature of 32 bytes in base64")
  }
  const timestamp = Number(stamp)
  if (Math.abs(receivedAt.getTime() / 1000 - timestamp) > toleranceSeconds) {
    return refused(
      "timestamp_outside_tolerance",
      `webhook-timestamp is more than ${toleranceSeconds} seconds from the receiver's clock`,
    )
  }
  const candidates = given.map((one) => Buffer.from(one, "base64"))
  for (const secret of secrets) {
    if (webhookSecretProblem(secret.value) !== null) continue
    const expected = signature({ id, timestamp: stamp, body }, keyOf(secret.value))
    if (candidates.some((candidate) => timingSafeEqual(candidate, expected))) {
      return { ok: true, secretId: secret.id }
    }
  }
  return refused("signature_mismatch", "no signature matches a secret in force")
}

// The timestamp is hashed as it stands in the header: `007` and `7` are one number but two texts.
function signature(
  { id, timestamp, body }: Omit<SignedContent, "timestamp"> & { timestamp: number | string },
  key: Buffer,
): Buffer {
  return createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest()
}

function keyOf(secret: string): Buffer {
  const problem = webhookSecretProblem(secret)
  if (problem !== null) throw new RangeError(`the webhook secret ${problem}`)
  return Buffer.from(secret.slice(prefix.length), "base64")
}

// Buffer.from skips what is no base64; encoding again shows whether anything was skipped.
function decodeKey(secret: string): Buffer | null {
  const text = secret.slice(prefix.length)
  if (!base64.test(text)) return null
  const key = Buffer.from(text, "base64")
  return key.toString("base64").replace(/=+$/, "") === text.replace(/=+$/, "") ? key : null
}

function refused(code: Exclude<Verification, { ok: true }>["code"], reason: string): Verification {
  return { ok: false, code, reason }
}
