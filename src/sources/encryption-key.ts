import { createHmac, createSecretKey, randomBytes, type KeyObject } from "node:crypto"
import { SignalboxError } from "../core/errors.ts"

/** A key that wraps the data keys of secrets. Printing it shows nothing of it. */
export interface EncryptionKey {
  /** A short fingerprint, kept with what the key has wrapped. */
  id: string
  key: KeyObject
}

/** Environment variable that holds the keys. */
export const encryptionKeyVariable = "SIGNALBOX_ENCRYPTION_KEY"

/** What each of the keys must be. */
export const encryptionKeyForm =
  "must be 32 bytes in base64 or in 64 hexadecimal digits, several separated by commas; `openssl rand -base64 32` makes one"

/** Reads comma-separated keys, the sealing one first; null where any of them is malformed. */
export function parseEncryptionKeys(text: string): readonly EncryptionKey[] | null {
  const keys: EncryptionKey[] = []
  for (const part of text.split(",")) {
    const bytes = keyBytes(part.trim())
    if (bytes === null) return null
    keys.push(encryptionKey(bytes))
  }
  return keys
}

/** A new key in base64. */
export function generateEncryptionKey(): string {
  return randomBytes(32).toString("base64")
}

/** What to say where a secret is to be stored and there is no key. */
export function noEncryptionKey(): SignalboxError {
  return new SignalboxError(
    "configuration",
    `${encryptionKeyVariable} is not set, and no secret is stored without it: ${encryptionKeyVariable}="$(openssl rand -base64 32)" makes one; give the same to every process`,
    { status: 409 }, // the request is in order; the hub is not set up for it
  )
}

function encryptionKey(bytes: Buffer): EncryptionKey {
  const id = createHmac("sha256", bytes).update("signalbox encryption key").digest("hex").slice(0, 16)
  return { id, key: createSecretKey(bytes) }
}

function keyBytes(text: string): Buffer | null {
  if (/^[0-9a-f]{64}$/i.test(text)) return Buffer.from(text, "hex")
  if (!/^[A-Za-z0-9+/]{43}=?$/.test(text)) return null
  return Buffer.from(text, "base64")
}
