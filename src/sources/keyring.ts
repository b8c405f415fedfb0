import { join } from "node:path"
import { SignalboxError } from "../core/errors.ts"
import { keepPrivate, readPrivate } from "../store/private-file.ts"
import {
  encryptionKeyForm,
  generateEncryptionKey,
  noEncryptionKey,
  parseEncryptionKeys,
  type EncryptionKey,
} from "./encryption-key.ts"

/** The keys that this process has for secrets. */
export interface Keyring {
  /** All that open, the one that seals first; none where there are none. */
  keys(): Promise<readonly EncryptionKey[]>
  /** The one that seals. Throws `configuration` where there is none and none may be made. */
  sealing(): Promise<EncryptionKey>
}

export interface KeyringOptions {
  /** Those of SIGNALBOX_ENCRYPTION_KEY. */
  configured: readonly EncryptionKey[]
  /** Folder with a key file of its own, made when it is first needed; null with a database elsewhere. */
  dataDir: string | null
}

/**
 * Makes a keyring. Beside the embedded database a file stands in for the variable; once that is set
 * the file still opens what it has sealed. Throws `configuration` where the file is malformed.
 */
export function createKeyring({ configured, dataDir }: KeyringOptions): Keyring {
  const path = dataDir === null ? null : join(dataDir, "encryption.key")

  // Read each time: another process may have made it since.
  async function keys(): Promise<readonly EncryptionKey[]> {
    if (path === null) return configured
    const text = await readPrivate(path)
    return text === undefined ? configured : [...configured, ...parse(path, text)]
  }

  return {
    keys,
    async sealing() {
      const [first] = await keys()
      if (first !== undefined) return first
      if (path === null) throw noEncryptionKey()
      const [made] = parse(path, await keepPrivate(path, generateEncryptionKey))
      if (made === undefined) throw malformed(path)
      return made
    },
  }
}

function parse(path: string, text: string): readonly EncryptionKey[] {
  const keys = parseEncryptionKeys(text)
  if (keys === null) throw malformed(path)
  return keys
}

function malformed(path: string): SignalboxError {
  return new SignalboxError("configuration", `the key in ${path} ${encryptionKeyForm}`)
}
