import type { Pool } from "pg"
import { transaction } from "../store/database.ts"
import { replaceWebhookKey, webhookSecretsToRewrap } from "../store/webhook-secrets.ts"
import type { EncryptionKey } from "./encryption-key.ts"
import { rewrapSecret } from "./seal.ts"
import { webhookPurpose } from "./sealing.ts"

/** Wraps the data keys of webhook secrets anew, some at a time; what is done is done. */
export async function rewrapWebhookSecrets(
  pool: Pool,
  keys: readonly EncryptionKey[],
  under: EncryptionKey,
  signal: AbortSignal,
  onProgress: (done: number) => void,
): Promise<{ rewrapped: number; damaged: { sourceId: string; id: string }[] }> {
  const damaged: { sourceId: string; id: string }[] = []
  let rewrapped = 0
  let last: string | null = null
  while (!signal.aborted) {
    const after: string | null = last
    last = await transaction(pool, async (db) => {
      const secrets = await webhookSecretsToRewrap(db, under.id, after)
      for (const secret of secrets) {
        const place = { id: secret.id, sourceId: secret.subscriptionId, purpose: webhookPurpose }
        const done = rewrapSecret(secret, place, keys, under)
        if (done.ok) {
          await replaceWebhookKey(db, secret.id, done.wrapped)
          rewrapped++
        } else if (done.why === "damaged") damaged.push({ sourceId: secret.subscriptionId, id: secret.id })
      }
      return secrets.at(-1)?.id ?? null
    })
    if (last === null) break
    onProgress(rewrapped)
  }
  return { rewrapped, damaged }
}
