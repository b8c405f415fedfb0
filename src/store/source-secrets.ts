import type { Db } from "./database.ts"

/** What a secret is for: to verify webhooks, or to call the platform's API. */
export type SecretPurpose = "signing" | "credential"

/** A secret as listed. */
export interface SecretRow {
  id: string
  sourceId: string
  purpose: SecretPurpose
  keyId: string
  createdAt: Date
  expiresAt: Date | null
  /** When it last verified a request, to the minute. */
  matchedAt: Date | null
}

/** A secret with what is sealed of it. */
export interface SealedRow extends SecretRow {
  wrappedKey: Buffer
  sealed: Buffer
}

const columns = `id, source_id as "sourceId", purpose, key_id as "keyId", created_at as "createdAt",
  expires_at as "expiresAt", matched_at as "matchedAt"`
const sealedColumns = `${columns}, wrapped_key as "wrappedKey", sealed`

/** A secret to be stored; it belongs to the tenant of its source. */
export interface NewSecret {
  id: string
  sourceId: string
  purpose: SecretPurpose
  keyId: string
  wrappedKey: Buffer
  sealed: Buffer
}

/** Stores a sealed secret. */
export async function insertSecret(db: Db, secret: NewSecret): Promise<SecretRow> {
  const { rows } = await db.query<SecretRow>(
    `insert into source_secrets (id, source_id, tenant, purpose, key_id, wrapped_key, sealed)
     select $1, s.id, s.tenant, $3, $4, $5, $6 from sources s where s.id = $2 returning ${columns}`,
    [secret.id, secret.sourceId, secret.purpose, secret.keyId, secret.wrappedKey, secret.sealed],
  )
  return rows[0]!
}

/** Secrets of these sources without what is sealed, newest first. */
export async function listSecrets(db: Db, sourceIds: readonly string[]): Promise<SecretRow[]> {
  const { rows } = await db.query<SecretRow>(
    `select ${columns} from source_secrets where source_id = any($1) order by id desc`,
    [sourceIds],
  )
  return rows
}

/** Secrets of these sources that have not expired at `now`, newest first. */
export async function sealedSecrets(db: Db, sourceIds: readonly string[], now: Date): Promise<SealedRow[]> {
  const { rows } = await db.query<SealedRow>(
    `select ${sealedColumns} from source_secrets
     where source_id = any($1) and (expires_at is null or expires_at > $2) order by id desc`,
    [sourceIds, now],
  )
  return rows
}

/**
 * Lets the signing secrets of a source besides `except` end at `at`, where they do not end before, and
 * answers those. What has been over for long is deleted.
 */
export async function expireSecrets(
  db: Db,
  { sourceId, except, at, now }: { sourceId: string; except: string; at: Date; now: Date },
): Promise<SecretRow[]> {
  await db.query(
    `delete from source_secrets where source_id = $1 and expires_at < $2::timestamptz - interval '30 days'`,
    [sourceId, now],
  )
  const { rows } = await db.query<SecretRow>(
    `update source_secrets set expires_at = least(expires_at, $3)
     where source_id = $1 and id <> $2 and purpose = 'signing' and (expires_at is null or expires_at > $4)
     returning ${columns}`,
    [sourceId, except, at, now],
  )
  return rows
}

/** Deletes the credentials of a source besides `except`; answers how many there were. */
export async function deleteCredentials(db: Db, sourceId: string, except: string | null): Promise<number> {
  const { rowCount } = await db.query(
    `delete from source_secrets
     where source_id = $1 and purpose = 'credential' and ($2::uuid is null or id <> $2)`,
    [sourceId, except],
  )
  return rowCount ?? 0
}

/** Notes that secrets have verified requests by `at`. */
export async function touchSecrets(db: Db, ids: readonly string[], at: Date): Promise<void> {
  await db.query(
    `update source_secrets set matched_at = $2
     where id = any($1) and (matched_at is null or matched_at < date_trunc('minute', $2::timestamptz))`,
    [ids, at],
  )
}

/** How many secrets each encryption key has wrapped, those of webhook subscriptions included. */
export async function countByKey(db: Db): Promise<{ keyId: string; secrets: number }[]> {
  const { rows } = await db.query<{ keyId: string; secrets: number }>(
    `select key_id as "keyId", count(*) as secrets
     from (select key_id from source_secrets union all select key_id from webhook_secrets) s
     group by key_id order by key_id`,
  )
  return rows
}

/** The next source after `after`, by id, that has a secret under another key than this one. */
export async function nextToRewrap(db: Db, keyId: string, after: string | null): Promise<string | undefined> {
  const { rows } = await db.query<{ sourceId: string }>(
    `select source_id as "sourceId" from source_secrets
     where key_id <> $1 and ($2::uuid is null or source_id > $2) order by source_id limit 1`,
    [keyId, after],
  )
  return rows[0]?.sourceId
}

/** All secrets of a source that another key than this one has wrapped. */
export async function secretsToRewrap(db: Db, sourceId: string, keyId: string): Promise<SealedRow[]> {
  const { rows } = await db.query<SealedRow>(
    `select ${sealedColumns} from source_secrets where source_id = $1 and key_id <> $2`,
    [sourceId, keyId],
  )
  return rows
}

/** Replaces the wrapped data key of a secret. */
export async function replaceWrappedKey(
  db: Db,
  id: string,
  { wrappedKey, keyId }: { wrappedKey: Buffer; keyId: string },
): Promise<void> {
  await db.query("update source_secrets set wrapped_key = $2, key_id = $3 where id = $1", [
    id,
    wrappedKey,
    keyId,
  ])
}
