import type { Db } from "./database.ts"

/** What a token stands for. */
export interface StreamTokenRow {
  tenant: string
  keyId: string
  stream: string
}

/**
 * Stores a token by its hash, good for so many seconds by the database's clock, which judges it; answers until
 * when. Forgets those that nobody came for.
 */
export async function insertStreamToken(
  db: Db,
  { hash, tenant, keyId, stream, seconds }: StreamTokenRow & { hash: Buffer; seconds: number },
): Promise<Date> {
  const { rows } = await db.query<{ expiresAt: Date }>({
    name: "insert_stream_token",
    text: `with old as (
        delete from stream_tokens where hash = any(
          array(select hash from stream_tokens where expires_at < now() limit 100 for update skip locked)))
      insert into stream_tokens (hash, tenant, key_id, stream, expires_at)
      values ($1, $2, $3, $4, now() + make_interval(secs => $5)) returning expires_at as "expiresAt"`,
    values: [hash, tenant, keyId, stream, seconds],
  })
  return rows[0]!.expiresAt
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
