import type { Clock } from "../core/clock.ts"
import type { Db } from "../store/database.ts"
import { databaseTime } from "../store/queue-jobs.ts"

/**
 * The database's clock, asked once and counted on from there: the one clock that all processes share. A
 * machine whose own clock is wrong writes nothing wrong into a ledger by it.
 */
export async function databaseClock(db: Db): Promise<Clock> {
  const answered = await databaseTime(db)
  const at = performance.now()
  return () => new Date(answered.getTime() + performance.now() - at)
}
