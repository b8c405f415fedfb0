import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from "node:crypto"
import type { EncryptionKey } from "./encryption-key.ts"

/**
 * Secrets are sealed in envelopes: the value by AES-256-GCM under a random key of its own, that data key
 * the same way under the encryption key. Both are bound to the place of the secret, so that a row
 * moved to another source, or made a secret of another purpose, does not open.
 */

/** The row that a secret lies in. */
export interface SecretPlace {
  /** Id of the secret. */
  id: string
  sourceId: string
  purpose: string
}

/** What is stored of a secret. */
export interface SealedSecret {
  wrappedKey: Buffer
  sealed: Buffer
  /** Id of the encryption key that has wrapped the data key. */
  keyId: string
}

/** A secret's value, or why it cannot be had. */
export type Opened = { ok: true; value: string } | { ok: false; why: "unknown_key" | "damaged" }

/** A data key wrapped anew, or why it cannot be. */
export type Rewrapped =
  | { ok: true; wrapped: Pick<SealedSecret, "wrappedKey" | "keyId"> }
  | { ok: false; why: "unknown_key" | "damaged" }

const version = 1
const ivBytes = 12 // NIST SP 800-38D, section 8.2.2
const tagBytes = 16

/** Seals a value for one place. */
export function sealSecret(value: string, place: SecretPlace, { id, key }: EncryptionKey): SealedSecret {
  const dataKey = randomBytes(32)
  try {
    return {
      sealed: encrypt(Buffer.from(value), dataKey, context("value", place)),
      wrappedKey: encrypt(dataKey, key, context("key", place, id)),
      keyId: id,
    }
  } finally {
    dataKey.fill(0)
  }
}

/** Opens what was sealed for this place under any of the keys. */
export function openSecret(secret: SealedSecret, place: SecretPlace, keys: readonly EncryptionKey[]): Opened {
  const unwrapped = unwrap(secret, place, keys)
  if (!unwrapped.ok) return unwrapped
  const value = decrypt(secret.sealed, unwrapped.dataKey, context("value", place))
  return value === null ? { ok: false, why: "damaged" } : { ok: true, value: value.toString() }
}

/** Wraps the data key of a secret under another encryption key; the sealed value stays as it is. */
export function rewrapSecret(
  secret: SealedSecret,
  place: SecretPlace,
  keys: readonly EncryptionKey[],
  under: EncryptionKey,
): Rewrapped {
  const unwrapped = unwrap(secret, place, keys)
  if (!unwrapped.ok) return unwrapped
  const wrappedKey = encrypt(unwrapped.dataKey, under.key, context("key", place, under.id))
  return { ok: true, wrapped: { wrappedKey, keyId: under.id } }
}

function unwrap(
  { wrappedKey, keyId }: SealedSecret,
  place: SecretPlace,
  keys: readonly EncryptionKey[],
): { ok: true; dataKey: Buffer } | { ok: false; why: "unknown_key" | "damaged" } {
  const wrapping = keys.find(({ id }) => id === keyId)
  if (wrapping === undefined) return { ok: false, why: "unknown_key" }
  const dataKey = decrypt(wrappedKey, wrapping.key, context("key", place, keyId))
  return dataKey?.length === 32 ? { ok: true, dataKey } : { ok: false, why: "damaged" }
}

/** Additional data: what an envelope is good for. */
function context(what: "value" | "key", { id, sourceId, purpose }: SecretPlace, keyId = ""): Buffer {
  return Buffer.from(JSON.stringify(["signalbox secret", version, what, sourceId, id, purpose, keyId]))
}

function encrypt(plain: Buffer, key: KeyObject | Buffer, additional: Buffer): Buffer {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: tagBytes })
  cipher.setAAD(additional)
  const text = Buffer.concat([cipher.update(plain), cipher.final()])
  return Buffer.concat([Buffer.of(version), iv, text, cipher.getAuthTag()])
}

/** Null for what this key has not sealed for this use. */
function decrypt(envelope: Buffer, key: KeyObject | Buffer, additional: Buffer): Buffer | null {
  if (envelope[0] !== version || envelope.length < 1 + ivBytes + tagBytes) return null
  const iv = envelope.subarray(1, 1 + ivBytes)
  const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: tagBytes })
  decipher.setAAD(additional)
  decipher.setAuthTag(envelope.subarray(-tagBytes))
  const start = decipher.update(envelope.subarray(1 + ivBytes, -tagBytes))
  try {
    return Buffer.concat([start, decipher.final()])
  } catch {
    return null
  }
}
