import { createHmac, createSecretKey, type KeyObject } from "node:crypto"

/** A secret that signs, ready for use. */
export interface SigningKey {
  /** Id of the secret. */
  id: string
  key: KeyObject
}

const prefix = "whsec_"

/** Reads a `whsec_…` secret once, so that no attempt need do it again. */
export function signingKey(id: string, secret: string): SigningKey {
  return { id, key: createSecretKey(secret.slice(prefix.length), "base64") }
}

/**
 * The `webhook-signature` header of Standard Webhooks 1.0: one signature a secret, so that receivers of
 * the old and of the new one find theirs while they rotate. The timestamp is in Unix seconds.
 */
export function signatureHeader(
  id: string,
  timestamp: number,
  body: Buffer,
  keys: readonly SigningKey[],
): string {
  const signed = keys.map(({ key }) => {
    const digest = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64")
    return `v1,${digest}`
  })
  return signed.join(" ")
}
