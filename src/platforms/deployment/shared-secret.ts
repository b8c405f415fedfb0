import { hash, timingSafeEqual } from "node:crypto"
import type { InboundRequest, Secret, Verification } from "../../core/platform.ts"
import { signWebhook, verifyWebhook, webhookSecretProblem } from "../../core/standard-webhooks.ts"

/**
 * For senders that sign nothing, or are told how to: the form of the secret says what is looked for.
 * `whsec_…` is a signature by Standard Webhooks, `X-Header: value` is that header with that value, and
 * anything else is a token: `Authorization: Bearer <token>`.
 */

const minChars = 16
const headerForm = /^([A-Za-z0-9-]{1,64}): +(\S(?:.*\S)?)$/
const bearerForm = /^Bearer +(\S+) *$/i

/** Says what is wrong with a secret, in words that show none of it; null for a sound one. */
export function sharedSecretProblem(secret: string): string | null {
  if (secret.startsWith("whsec_")) return webhookSecretProblem(secret)
  if (!/^[\x20-\x7e]*$/.test(secret)) return "must be printable ASCII, as a header carries it"
  const value = headerForm.exec(secret)?.[2]
  if (value === undefined && /\s/.test(secret)) {
    return 'must be a token without blanks, or a header and its value: "X-Webhook-Secret: …"'
  }
  return (value ?? secret).length < minChars ? `must have ${minChars} characters or more` : null
}

/** Checks what the secrets in force ask for; time tells nothing of how much of a value was right. */
export function verifySharedSecret(request: InboundRequest, secrets: readonly Secret[]): Verification {
  const signing = secrets.filter(({ value }) => value.startsWith("whsec_"))
  const signed = signing.length > 0 && request.headers["webhook-signature"] !== undefined
  const others = secrets.filter((secret) => !signing.includes(secret))
  if (signed || others.length === 0) return verifyWebhook(request, signing)
  return verifyHeaders(request.headers, others)
}

function verifyHeaders(headers: Readonly<Record<string, string>>, secrets: readonly Secret[]): Verification {
  const looked = new Set<string>()
  let found = false
  for (const secret of secrets) {
    const { header, value } = expected(secret.value)
    looked.add(header)
    const sent = headers[header]
    if (sent === undefined || sent === "") continue
    found = true
    const given =
      header === "authorization" && !headerForm.test(secret.value) ? bearerForm.exec(sent)?.[1] : sent
    if (given !== undefined && equal(given, value) && sharedSecretProblem(secret.value) === null) {
      return { ok: true, secretId: secret.id }
    }
  }
  const names = [...looked].join(" or ")
  return found
    ? { ok: false, code: "signature_mismatch", reason: `${names} holds no secret in force` }
    : { ok: false, code: "signature_missing", reason: `the header ${names} is missing` }
}

function expected(secret: string): { header: string; value: string } {
  const [, header, value] = headerForm.exec(secret) ?? []
  if (header === undefined || value === undefined) return { header: "authorization", value: secret }
  return { header: header.toLowerCase(), value }
}

// Digests have one length, which a comparison in constant time asks for.
function equal(given: string, value: string): boolean {
  return timingSafeEqual(hash("sha256", given, "buffer"), hash("sha256", value, "buffer"))
}

/** The headers by which a body is believed. */
export function sharedSecretHeaders(secret: string, body: Buffer, at: Date): Record<string, string> {
  if (secret.startsWith("whsec_")) return webhookHeaders(secret, body, at)
  const { header, value } = expected(secret)
  return { [header]: headerForm.test(secret) ? value : `Bearer ${value}` }
}

/** The headers of Standard Webhooks for a body; throws a RangeError on a malformed secret. */
export function webhookHeaders(secret: string, body: Buffer, at: Date): Record<string, string> {
  const id = `msg_test_${at.getTime()}`
  const timestamp = Math.floor(at.getTime() / 1000)
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": signWebhook({ id, timestamp, body }, [secret]),
  }
}
