import { setTimeout as sleep } from "node:timers/promises"
import type { Clock } from "../core/clock.ts"
import type { Log } from "../core/log.ts"
import type { Source } from "../core/source.ts"
import { createPool, transaction } from "../store/database.ts"
import { beat, noteOutages } from "../store/outages.ts"

export interface HeartbeatOptions {
  databaseUrl: string
  /** The sources that should be served. */
  sources: () => readonly Pick<Source, "platform" | "name" | "off">[]
  clock: Clock
  log: Log
  /** Milliseconds between beats (2 s). */
  intervalMs?: number
  /** Milliseconds without a beat that are an outage, to a process that was there all the time (10 s). */
  lateMs?: number
}

/** Tells, by one row that all ingesting processes share, when nothing could come in. */
export interface Heartbeat extends AsyncDisposable {
  /** Resolves after the first beat, which finds the outage that ends with this start. */
  start(): Promise<void>
  /** Beats once more, so that an outage that begins now is known to the moment. Idempotent. */
  stop(): Promise<void>
}

/**
 * Makes a heartbeat. A beat long after the one before it means that meanwhile no process listened, or
 * that none could write: an outage of every source, from the one to the other, for the ledger.
 */
export function createHeartbeat(options: HeartbeatOptions): Heartbeat {
  const { databaseUrl, sources, clock, log, intervalMs = 2_000, lateMs = 10_000 } = options
  const pool = createPool(databaseUrl, {
    role: "signalbox_worker",
    max: 1,
    name: "heartbeat",
    queryTimeoutMs: 5_000,
    settings: { statement_timeout: "4000", idle_in_transaction_session_timeout: "5000" },
  })
  const ending = new AbortController()
  const { signal } = ending
  let failed = false
  let running: Promise<void> | undefined
  let stopped: Promise<void> | undefined

  /** `allowedMs` without a beat are no outage. */
  async function beatOnce(allowedMs: number): Promise<boolean> {
    const reason = failed ? "database_away" : "hub_down"
    try {
      await transaction(pool, async (db) => {
        const to = clock() // the database answers again, and not when it was asked
        const from = await beat(db, to)
        if (from === null || to.getTime() - from.getTime() <= allowedMs) return
        const served = sources().filter(({ off }) => off === undefined)
        const outage = { reason, from, to, requests: 0 } as const
        await noteOutages(
          db,
          served.map(({ platform, name }) => ({ ...outage, platform, source: name })),
        )
        log.warn({ from, to, reason }, "webhooks may have been missed meanwhile")
      })
      failed = false
      return true
    } catch (error) {
      if (!failed) log.warn({ err: error }, "the heartbeat finds no database")
      failed = true
      return false
    }
  }

  async function run(begun: boolean): Promise<void> {
    // Others would have beaten within the interval: at a start, a lesser silence tells.
    for (let first = !begun; !signal.aborted;) {
      await sleep(intervalMs, undefined, { signal, ref: false }).catch(() => {})
      if (signal.aborted) return
      if (await beatOnce(first ? 2 * intervalMs : lateMs)) first = false
    }
  }

  async function stop(): Promise<void> {
    ending.abort()
    await running
    if (running !== undefined) await beatOnce(lateMs)
    await pool.end()
  }

  const stopOnce = (): Promise<void> => (stopped ??= stop())
  return {
    async start() {
      if (running !== undefined || stopped !== undefined) return
      const begun = await beatOnce(2 * intervalMs)
      running = run(begun)
    },
    stop: stopOnce,
    [Symbol.asyncDispose]: stopOnce,
  }
}
