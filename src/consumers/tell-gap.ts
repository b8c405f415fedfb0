import type { Pool } from "pg"
import type { Log } from "../core/log.ts"
import { moveCursors, type Lease } from "../store/consumer-leases.ts"
import { transaction, type Db } from "../store/database.ts"
import type { Hole } from "../store/log-pages.ts"
import { inTime } from "./in-time.ts"
import type { AnyDefinition } from "./worker-services.ts"

export interface TellGapOptions {
  pool: Pool
  lease: Lease
  definition: AnyDefinition
  /** Up to where the cursor is known to be written. */
  written: () => number
  /** Told that the cursor was written behind the gap. */
  onMoved: (upTo: number, isWritten: boolean) => void
  /** The cursor was refused; rejects where its partition is to start over. */
  onRefused: () => Promise<void>
  log: Log
  /** Aborted when whoever is told is waited for no longer. */
  stop: AbortSignal
}

/**
 * Makes a function that tells a consumer what retention has dropped before it came to it, and then has its
 * cursor written behind that. Where telling fails, or takes longer than a run may, the partition starts over, and tells it again: nothing is
 * passed over in silence. What is told by the database is told in the transaction that moves the cursor.
 */
export function createTellGap(options: TellGapOptions): (hole: Hole) => Promise<void> {
  const { pool, lease, definition, written, onMoved, onRefused, log, stop } = options

  async function move(db: Db, { to }: Hole): Promise<boolean> {
    return (await moveCursors(db, [{ ...lease, position: to, written: written() }])).size > 0
  }

  async function tell(hole: Hole): Promise<boolean> {
    const gap = { ...hole, partition: lease.partition }
    if ("attempt" in definition) {
      return transaction(pool, async (db) => {
        if (!(await move(db, hole))) return false
        await definition.onGap?.(db, gap)
        return true
      })
    }
    const { timeoutMs } = definition
    await inTime("to be told of a gap", { timeoutMs, stop }, () => definition.onGap?.(gap))
    return move(pool, hole)
  }

  return async (hole) => {
    log.error(hole, "retention has passed this consumer: events are missing")
    if (definition.onGap === undefined) return
    if (await tell(hole)) onMoved(hole.to, true)
    else await onRefused()
  }
}
