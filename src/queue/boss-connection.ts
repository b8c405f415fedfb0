import type { Db as BossDb } from "pg-boss"
import type { Log } from "../core/log.ts"
import { createPool } from "../store/database.ts"
import { keepSession, type KeptSession } from "./kept-session.ts"
import { queueNames } from "./queues.ts"
import { transacting } from "./transacting.ts"

/** pg-boss's way to the database, by connections of ours. */
export interface BossConnection {
  db: BossDb
  /** Begins to listen for jobs; a process that works on none is not woken by any. */
  listen(): Promise<void>
  close(): Promise<void>
}

export interface BossConnectionOptions {
  url: string
  log: Log
  /** Called with the name of a queue that got jobs, and for every queue when hints may have been missed. */
  onJobs: (queue: string) => void
}

/**
 * Gives pg-boss connections under the worker role whose statements are planned once, since its texts
 * are the same each time, and which may not read whole tables for the sake of old statistics.
 */
export function openBossConnection({ url, log, onJobs }: BossConnectionOptions): BossConnection {
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
  let channel: string | undefined
  let session: KeptSession | undefined
  return {
    db: {
      ...transacting(pool),
      // pg-boss names its channel here; whoever works on jobs is woken by us.
      listen: (name) => {
        channel = name
        return Promise.resolve({ close: () => Promise.resolve() })
      },
    },
    async listen() {
      if (channel === undefined) throw new Error("the queue has not started")
      const command = `listen "${channel}"`
      session = await keepSession(
        listening,
        async (client, isBack) => {
          client.on("notification", ({ payload }) => onJobs(payload ?? ""))
          await client.query(command)
          if (isBack) queueNames.forEach(onJobs)
        },
        log,
      )
    },
    async close() {
      await session?.close()
      await Promise.all([pool.end(), listening.end()])
    },
  }
}
