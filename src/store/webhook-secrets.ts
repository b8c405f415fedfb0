import type { Db } from "./database.ts"

/** A sealed secret of a webhook subscription. */
export interface WebhookSecretRow {
  id: string
  subscriptionId: string
  keyId: string
  wrappedKey: Buffer
  sealed: Buffer
  createdAt: Date
  expiresAt: Date | null
}

const columns = `id, subscription_id as "subscriptionId", key_id as "keyId", wrapped_key as "wrappedKey", sealed,
  created_at as "createdAt", expires_at as "expiresAt"`

/** Stores a sealed secret; it belongs to the tenant of its subscription. */
export async function insertWebhookSecret(
  db: Db,
  secret: Omit<WebhookSecretRow, "createdAt" | "expiresAt">,
): Promise<void> {
  await db.query(
    `insert into webhook_secrets (id, subscription_id, tenant, key_id, wrapped_key, sealed)
     select $1, w.id, w.tenant, $3, $4, $5 from webhook_subscriptions w where w.id = $2`,
    [secret.id, secret.subscriptionId, secret.keyId, secret.wrappedKey, secret.sealed],
  )
}

/** Secrets of these subscriptions that are in force at `now`, newest first. */
export async function webhookSecrets(
  db: Db,
  subscriptionIds: readonly string[],
  now: Date,
): Promise<WebhookSecretRow[]> {
  const { rows } = await db.query<WebhookSecretRow>(
    `select ${columns} from webhook_secrets
     where subscription_id = any($1) and (expires_at is null or expires_at > $2)
     order by subscription_id, id desc`,
    [subscriptionIds, now],
  )
  return rows
}

/** Lets the secrets of a subscription besides `except` end at `at`, where they do not end before. */
export async function expireWebhookSecrets(
  db: Db,
  subscriptionId: string,
  { except, at }: { except: string; at: Date },
): Promise<void> {
  await db.query(
    `update webhook_secrets set expires_at = least(expires_at, $3)
     where subscription_id = $1 and id <> $2 and (expires_at is null or expires_at > $3)`,
    [subscriptionId, except, at],
  )
  await db.query(
    "delete from webhook_secrets where subscription_id = $1 and expires_at < now() - interval '1 day'",
    [subscriptionId],
  )
}

/** Some secrets that another key than this one has wrapped, by id after `after`, held until the transaction ends. */
export async function webhookSecretsToRewrap(
  db: Db,
  keyId: string,
  after: string | null,
): Promise<WebhookSecretRow[]> {
  const { rows } = await db.query<WebhookSecretRow>(
    `select ${columns} from webhook_secrets
     where key_id <> $1 and ($2::uuid is null or id > $2) order by id limit 100 for update`,
    [keyId, after],
  )
  return rows
}

/** Replaces the wrapped data key of a secret. */
export async function replaceWebhookKey(
  db: Db,
  id: string,
  { wrappedKey, keyId }: { wrappedKey: Buffer; keyId: string },
): Promise<void> {
  await db.query("update webhook_secrets set wrapped_key = $2, key_id = $3 where id = $1", [
    id,
    wrappedKey,
    keyId,
  ])
}
