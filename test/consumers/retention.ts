import type { Database } from "../../src/store/database.ts"

/** Drops events as retention does: their places in the log and their bodies. */
export async function dropFromLog(
  database: Pick<Database, "work">,
  positions: readonly number[],
): Promise<void> {
  const { rows } = await database.work.query<{ id: string }>(
    "delete from event_log where position = any($1::bigint[]) returning event_id as id",
    [positions],
  )
  await database.work.query("delete from events where id = any($1::uuid[])", [rows.map(({ id }) => id)])
}
