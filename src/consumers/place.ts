import type { Pool } from "pg"
import type { Log } from "../core/log.ts"
import { leasedPosition, returnToLog, type Lease } from "../store/consumer-leases.ts"

/** What a holder does whose page was refused: it abandons what was taken over, and else throws, to start over. */
export async function refused(pool: Pool, lease: Lease, abandon: () => void): Promise<void> {
  if ((await leasedPosition(pool, lease)) === undefined) return abandon()
  throw new Error("the database does not have what was written to it: it was set back")
}

/**
 * From where a partition goes on; undefined where it was taken over. A cursor that is beyond the end of the log,
 * which a set-back log can leave, is taken back to it: waiting for the log to come there would pass over all of it.
 */
export async function placeOf(pool: Pool, lease: Lease, log: Log): Promise<number | undefined> {
  const returned = await returnToLog(pool, lease)
  if (returned === undefined) return leasedPosition(pool, lease)
  const { from, position } = returned
  log.error(
    { from, position },
    "the cursor of a consumer is beyond the end of the log, which was set back: it goes on from the end",
  )
  return position
}
