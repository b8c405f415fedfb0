import type { Db } from "./database.ts"

// Every process that works on the queues holds this lock, shared, for as long as its session lives.
const key = "hashtextextended('signalbox.workers', 0)"

/** Takes the lock exclusively if nobody else has it, which says that no other worker is alive. */
export async function tryPresenceAlone(db: Db): Promise<boolean> {
  const { rows } = await db.query<{ alone: boolean }>(`select pg_try_advisory_lock(${key}) as alone`)
  return rows[0]?.alone === true
}

/** Takes the lock shared; waits only while another process is alone with it. */
export async function sharePresence(db: Db): Promise<void> {
  await db.query(`select pg_advisory_lock_shared(${key})`)
}

/** Gives back the exclusive hold, and keeps a shared one that was taken meanwhile. */
export async function endPresenceAlone(db: Db): Promise<void> {
  await db.query(`select pg_advisory_unlock(${key})`)
}
