import { DatabaseError, type Pool, type ClientBase } from "pg"

/**
 * Drops a database, with the sessions in it. FORCE is refused to one who is no superuser while a worker
 * of autovacuum is in there; without it that worker is sent away, and a session is waited for.
 */
export async function dropDatabase(admin: Pick<Pool | ClientBase, "query">, name: string): Promise<void> {
  try {
    await admin.query(`drop database if exists ${name} with (force)`)
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.code !== "42501") throw error
    await admin.query(`drop database if exists ${name}`)
  }
}
