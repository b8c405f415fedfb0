import type { Pool } from "pg"
import { transaction } from "../store/database.ts"
import {
  countByKey,
  nextToRewrap,
  replaceWrappedKey,
  secretsToRewrap,
  type SealedRow,
} from "../store/source-secrets.ts"
import { lockSource } from "../store/sources.ts"
import type { EncryptionKey } from "./encryption-key.ts"
import type { Keyring } from "./keyring.ts"
import { rewrapWebhookSecrets } from "./rewrap-webhooks.ts"
import { rewrapSecret } from "./seal.ts"

export interface RewrapOptions {
  /** Ends it between two sources; what is done is done. */
  signal: AbortSignal
  /** Told after each source of the secrets done, of those that there were to do. */
  onProgress?: (done: number, total: number) => void
}

/** What became of the secrets that another key than the first had wrapped. */
export interface Rewrapping {
  /** The key that wraps from now on. */
  keyId: string
  rewrapped: number
  /** Under the first key before. */
  before: number
  /** Left as they were: their key is not among those given. */
  unknown: readonly { keyId: string; secrets: number }[]
  /** Left as they were: they do not open under the key that they name. */
  damaged: readonly { sourceId: string; id: string }[]
}

/**
 * Wraps every data key anew under the first encryption key. A source at a time is done or not done at
 * all, so it may be ended and begun again at any point; once all is done the other keys are of no use.
 */
export async function rewrapSecrets(
  pool: Pool,
  keyring: Keyring,
  { signal, onProgress }: RewrapOptions,
): Promise<Rewrapping> {
  const under = await keyring.sealing()
  const keys = await keyring.keys()
  const counts = await countByKey(pool)
  const isKnown = ({ keyId }: { keyId: string }) => keys.some(({ id }) => id === keyId)
  const total = sum(counts.filter((count) => isKnown(count) && count.keyId !== under.id))
  const damaged: { sourceId: string; id: string }[] = []
  let rewrapped = 0
  let last: string | null = null
  while (!signal.aborted) {
    const sourceId = await nextToRewrap(pool, under.id, last)
    if (sourceId === undefined) break
    const done = await rewrapSource(pool, sourceId, keys, under)
    rewrapped += done.rewrapped
    damaged.push(...done.damaged.map(({ id }) => ({ sourceId, id })))
    last = sourceId
    onProgress?.(rewrapped, total)
  }
  const webhooks = await rewrapWebhookSecrets(pool, keys, under, signal, (more) => {
    onProgress?.(rewrapped + more, total)
  })
  rewrapped += webhooks.rewrapped
  damaged.push(...webhooks.damaged)
  const unknown = (await countByKey(pool)).filter((count) => !isKnown(count))
  return {
    keyId: under.id,
    rewrapped,
    before: sum(counts.filter(({ keyId }) => keyId === under.id)),
    unknown,
    damaged,
  }
}

async function rewrapSource(
  pool: Pool,
  sourceId: string,
  keys: readonly EncryptionKey[],
  under: EncryptionKey,
): Promise<{ rewrapped: number; damaged: SealedRow[] }> {
  return transaction(pool, async (db) => {
    await lockSource(db, sourceId)
    let rewrapped = 0
    const damaged: SealedRow[] = []
    for (const secret of await secretsToRewrap(db, sourceId, under.id)) {
      const done = rewrapSecret(secret, secret, keys, under)
      if (done.ok) {
        await replaceWrappedKey(db, secret.id, done.wrapped)
        rewrapped++
      } else if (done.why === "damaged") damaged.push(secret)
    }
    return { rewrapped, damaged }
  })
}

function sum(counts: readonly { secrets: number }[]): number {
  return counts.reduce((total, { secrets }) => total + secrets, 0)
}
