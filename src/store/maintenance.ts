import { setTimeout as sleep } from "node:timers/promises"
import type { Pool } from "pg"
import { transaction } from "./database.ts"
import { allowLonger } from "./statement-time.ts"

const day = 24 * 60 * 60_000
const longestMs = 60 * 60_000 // as many rows as a default partition may hold

/** Recurring care for the tables. */
export interface Maintenance extends AsyncDisposable {
  /** Begins with a first round at once; does not wait for it. */
  start(): void
  /** Ends after the table at hand. Idempotent. */
  stop(): Promise<void>
}

export interface MaintenanceOptions {
  /** The worker pool. */
  db: Pool
  /** Months for which partitions are made in advance (3). */
  ahead?: number
  /** Milliseconds between rounds (a day), and until a failed one is repeated (a minute). */
  intervalMs?: number
  retryMs?: number
  /** Told of a failed round. Nothing is lost by one: rows go to default partitions meanwhile. */
  onError?: (error: unknown) => void
}

/** Makes partitions ahead of time, at the start and daily. Any number of processes may run it. */
export function createMaintenance(options: MaintenanceOptions): Maintenance {
  const { db, ahead = 3, intervalMs = day, retryMs = 60_000, onError = () => {} } = options
  const ending = new AbortController()
  const { signal } = ending
  let running: Promise<void> | undefined

  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      const waitMs = await makePartitions(db, ahead, signal).then(
        () => intervalMs,
        (error: unknown) => {
          onError(error)
          return retryMs
        },
      )
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }
  const stop = async (): Promise<void> => {
    ending.abort()
    await running
  }
  return {
    start: () => {
      running ??= run()
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/**
 * Makes the partitions of last month, this one and `ahead` more where they are missing, and moves
 * rows out of the default partitions; answers how many it made. One transaction a table, so that it
 * never waits for one table while it keeps others from the next; one that is busy fails the round
 * after two seconds, since whoever comes next would queue behind us.
 */
export async function makePartitions(db: Pool, ahead: number, signal?: AbortSignal): Promise<number> {
  const tables = await db.query<{ name: string }>(
    "select table_name as name from partitioned_tables order by table_name",
  )
  let made = 0
  for (const { name } of tables.rows) {
    if (signal?.aborted === true) break
    made += await transaction(db, async (client) => {
      await allowLonger(client, longestMs)
      await client.query("set local lock_timeout = '2s'")
      const { rows } = await client.query<{ made: number }>("select make_partitions($1, $2) as made", [
        ahead,
        name,
      ])
      return rows[0]?.made ?? 0
    })
  }
  return made
}
