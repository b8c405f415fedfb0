import type { Sealing } from "../core/sealing.ts"
import type { Keyring } from "./keyring.ts"
import { openSecret, sealSecret } from "./seal.ts"

/** What secrets of webhook subscriptions are sealed for. */
export const webhookPurpose = "webhook"

/** Seals secrets of something other than a source, which `purpose` names: one kind does not open as another. */
export function createSealing(keyring: Keyring, purpose: string): Sealing {
  return {
    async seal(value, { id, ownerId }) {
      return sealSecret(value, { id, sourceId: ownerId, purpose }, await keyring.sealing())
    },
    async open(sealed, { id, ownerId }) {
      const opened = openSecret(sealed, { id, sourceId: ownerId, purpose }, await keyring.keys())
      return opened.ok ? opened.value : undefined
    },
  }
}
