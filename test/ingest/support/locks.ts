import { setTimeout as sleep } from "node:timers/promises"
import type { Database } from "../../../src/store/database.ts"

/** Resolves when so many sessions of the database wait for a lock that another holds. */
export async function untilBlocked({ work }: Database, sessions: number): Promise<void> {
  for (;;) {
    const { rows } = await work.query<{ count: number }>(
      `select count(distinct pid) from pg_locks where not granted and (database is null
         or database = (select oid from pg_database where datname = current_database()))`,
    )
    if ((rows[0]?.count ?? 0) >= sessions) return
    await sleep(5)
  }
}
