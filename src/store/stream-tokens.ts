import type { Db } from "./database.ts"

/** What a token stands for. */
export interface StreamTokenRow {
  tenant: string
  keyId: string
  stream: string
}

/** Stores a token by its hash, and forgets those that nobody came for. */
export async function insertStreamToken(
  db: Db,
  { hash, tenant, keyId, stream, expiresAt }: StreamTokenRow & { hash: Buffer; expiresAt: Date },
): Promise<void> {
  await db.query({
    name: "insert_stream_token",
    text: `with old as (
        delete from stream_tokens where hash = any(
          array(select hash from stream_tokens where expires_at < now() limit 100 for update skip locked)))
      insert into stream_tokens (hash, tenant, key_id, stream, expires_at) values ($1, $2, $3, $4, $5)`,
    values: [hash, tenant, keyId, stream, expiresAt],
  })
}

/** Takes a token out, so that nobody else can; undefined where it is unknown, expired or another stream's. */
export async function takeStreamToken(
  db: Db,
  hash: Buffer,
  stream: string,
): Promise<StreamTokenRow | undefined> {
  const { rows } = await db.query<StreamTokenRow>({
    name: "take_stream_token",
    text: `delete from stream_tokens where hash = $1 and stream = $2 and expires_at > now()
      returning tenant, key_id as "keyId", stream`,
    values: [hash, stream],
  })
  return rows[0]
}
