import type { Db as BossDb } from "pg-boss"
import type { Log } from "../core/log.ts"
import { createPool } from "../store/database.ts"
import { keepSession } from "./kept-session.ts"
import { spaced } from "./spaced.ts"
import { transacting } from "./transacting.ts"

/** pg-boss's way to the database, by connections of ours. */
export interface BossConnection {
  db: BossDb
  close(): Promise<void>
}

// Every fetch costs about as much as the processing of an event: under load, better one for several.
const spacingMs = 8

/**
 * Gives pg-boss connections under the worker role whose statements are planned once, since its texts
 * are the same each time, and which may not read whole tables for the sake of old statistics.
 */
export function openBossConnection({ url, log }: { url: string; log: Log }): BossConnection {
  const pool = createPool(url, {
    role: "signalbox_worker",
    name: "queue",
    max: 4,
    queryTimeoutMs: 60_000,
    settings: { plan_cache_mode: "force_generic_plan", enable_seqscan: "off" },
  })
  const listening = createPool(url, {
    role: "signalbox_worker",
    name: "queue",
    max: 1,
    queryTimeoutMs: 15_000,
  })
  return {
    db: {
      ...transacting(pool),
      async listen(channel, onNotification, onReconnect) {
        const wake = spaced(onNotification, spacingMs)
        return keepSession(
          listening,
          async (client, isBack) => {
            client.on("notification", ({ payload }) => wake(payload ?? ""))
            await client.query(`listen "${channel}"`)
            if (isBack) onReconnect()
          },
          log,
        )
      },
    },
    async close() {
      await Promise.all([pool.end(), listening.end()])
    },
  }
}
