import type { Db } from "./database.ts"

/** Id by which SIGNALBOX_ADMIN_KEY goes; it is in no table and never ends. */
export const adminKeyId = "admin"

/** What a key may have a second, in each process; null for as much as it likes. */
export interface KeyLimits {
  requestsPerSecond: number | null
  /** Events that streams and pages of history give it. */
  eventsPerSecond: number | null
}

/** The limits of who has none. */
export const noLimits: KeyLimits = { requestsPerSecond: null, eventsPerSecond: null }

/** An API key as listed; the key itself is known only to whoever was given it. */
export interface ApiKeyRow extends KeyLimits {
  id: string
  tenant: string
  name: string
  prefix: string
  scopes: string[]
  createdAt: Date
  expiresAt: Date | null
  revokedAt: Date | null
  lastUsedAt: Date | null
}

const columns = `id, tenant, name, prefix, scopes, requests_per_second as "requestsPerSecond",
  events_per_second as "eventsPerSecond", created_at as "createdAt", expires_at as "expiresAt",
  revoked_at as "revokedAt", last_used_at as "lastUsedAt"`

export interface NewApiKey extends KeyLimits {
  tenant: string
  name: string
  prefix: string
  hash: Buffer
  scopes: readonly string[]
  expiresAt: Date | null
}

/** Stores a key by its hash. */
export async function insertApiKey(db: Db, key: NewApiKey): Promise<ApiKeyRow> {
  const { rows } = await db.query<ApiKeyRow>(
    `insert into api_keys (tenant, name, prefix, hash, scopes, expires_at, requests_per_second, events_per_second)
     values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${columns}`,
    [
      key.tenant,
      key.name,
      key.prefix,
      key.hash,
      key.scopes,
      key.expiresAt,
      key.requestsPerSecond,
      key.eventsPerSecond,
    ],
  )
  return rows[0]!
}

/** The key with this hash, if it is neither revoked nor expired. */
export async function findApiKey(db: Db, hash: Buffer): Promise<ApiKeyRow | undefined> {
  const { rows } = await db.query<ApiKeyRow>(
    `select ${columns} from api_keys
     where hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
    [hash],
  )
  return rows[0]
}

/** Keys of a tenant, newest first; those of all tenants for null. */
export async function listApiKeys(
  db: Db,
  tenant: string | null,
  page: { limit: number; before: string | null },
): Promise<ApiKeyRow[]> {
  const { rows } = await db.query<ApiKeyRow>(
    `select ${columns} from api_keys
     where ($1::text is null or tenant = $1)
       and ($3::uuid is null or (created_at, id) < (select created_at, id from api_keys where id = $3))
     order by created_at desc, id desc limit $2`,
    [tenant, page.limit, page.before],
  )
  return rows
}

/** Ends a key's life; answers whether it was alive. */
export async function revokeApiKey(db: Db, tenant: string | null, id: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `update api_keys set revoked_at = now()
     where id = $1 and ($2::text is null or tenant = $2) and revoked_at is null`,
    [id, tenant],
  )
  return rowCount === 1
}

/** Gives a key that is alive other limits, where they are given; undefined where there is none. */
export async function updateKeyLimits(
  db: Db,
  tenant: string | null,
  id: string,
  { requestsPerSecond, eventsPerSecond }: Partial<KeyLimits>,
): Promise<ApiKeyRow | undefined> {
  const { rows } = await db.query<ApiKeyRow>(
    `update api_keys set
       requests_per_second = case when $3 then $4::real else requests_per_second end,
       events_per_second = case when $5 then $6::real else events_per_second end
     where id = $1 and ($2::text is null or tenant = $2) and revoked_at is null returning ${columns}`,
    [
      id,
      tenant,
      requestsPerSecond !== undefined,
      requestsPerSecond ?? null,
      eventsPerSecond !== undefined,
      eventsPerSecond ?? null,
    ],
  )
  return rows[0]
}

/** The limits of a key; undefined where it is revoked, expired or gone. */
export async function findKeyLimits(db: Db, id: string): Promise<KeyLimits | undefined> {
  if (id === adminKeyId) return noLimits
  const { rows } = await db.query<KeyLimits>(
    `select requests_per_second as "requestsPerSecond", events_per_second as "eventsPerSecond" from api_keys
     where id = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
    [id],
  )
  return rows[0]
}

/** Which of these keys are revoked, expired or gone. */
export async function deadApiKeys(db: Db, ids: readonly string[]): Promise<string[]> {
  const stored = ids.filter((id) => id !== adminKeyId)
  if (stored.length === 0) return []
  const { rows } = await db.query<{ id: string }>(
    `select asked.id from unnest($1::uuid[]) asked (id)
     where not exists (select from api_keys k where k.id = asked.id and k.revoked_at is null
       and (k.expires_at is null or k.expires_at > now()))`,
    [stored],
  )
  return rows.map(({ id }) => id)
}

/** Whether any key that is alive has this scope. */
export async function hasKeyWithScope(db: Db, scope: string): Promise<boolean> {
  const { rows } = await db.query<{ present: boolean }>(
    `select exists (select from api_keys where scopes @> array[$1] and revoked_at is null
       and (expires_at is null or expires_at > now())) as present`,
    [scope],
  )
  return rows[0]?.present === true
}

/** Notes when a key was last seen, to the minute, so that a busy key costs one write a minute. */
export async function touchApiKey(db: Db, id: string): Promise<void> {
  await db.query(
    `update api_keys set last_used_at = now()
     where id = $1 and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
    [id],
  )
}
