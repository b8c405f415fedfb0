import type { Db } from "../../src/store/database.ts"

/** The event that holds a delivery key; null where none does. */
export async function findEventByKey(
  db: Db,
  platform: string,
  source: string,
  key: string,
): Promise<string | null> {
  const { rows } = await db.query<{ id: string }>(
    "select event_id as id from event_keys where tenant = 'default' and platform = $1 and source = $2 and delivery_id = $3",
    [platform, source, key],
  )
  return rows[0]?.id ?? null
}
