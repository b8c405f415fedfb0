import { setTimeout as sleep } from "node:timers/promises"
import type pg from "pg"
import type { Log } from "../core/log.ts"

/** A session of the database that is there for as long as it is kept. */
export interface KeptSession {
  close(): Promise<void>
}

const pingEveryMs = 10_000

/**
 * Keeps one connection of a pool, prepared by `prepare`, and where it is lost makes another one and
 * prepares it with `isBack`. A peer that is gone without a word is noticed by a ping that goes
 * unanswered, so the pool needs a query timeout. Rejects where the first one fails.
 */
export async function keepSession(
  pool: pg.Pool,
  prepare: (client: pg.PoolClient, isBack: boolean) => Promise<void>,
  log: Log,
): Promise<KeptSession> {
  const closing = new AbortController()
  const { signal } = closing
  const first = await open(false)
  const kept = keep(first)
  return {
    async close() {
      closing.abort()
      await kept
    },
  }

  async function open(isBack: boolean): Promise<pg.PoolClient> {
    const client = await pool.connect()
    try {
      await prepare(client, isBack)
      return client
    } catch (error) {
      client.release(true)
      throw error
    }
  }

  async function keep(initial: pg.PoolClient): Promise<void> {
    let client = initial
    for (;;) {
      await untilLost(client, signal)
      client.release(true)
      const next = await reopen()
      if (next === undefined) return
      client = next
    }
  }

  async function reopen(): Promise<pg.PoolClient | undefined> {
    for (let waitMs = 250; !signal.aborted; waitMs = Math.min(2 * waitMs, 5_000)) {
      try {
        return await open(true)
      } catch (error) {
        log.debug({ err: error }, "a session of the queue is not back yet")
      }
      await sleep(waitMs, undefined, { signal }).catch(() => {})
    }
    return undefined
  }
}

/** Resolves when the connection is lost or does not answer, or when `signal` says to let it go. */
async function untilLost(client: pg.PoolClient, signal: AbortSignal): Promise<void> {
  const lost = new AbortController()
  const end = (): void => lost.abort()
  client.once("error", end)
  client.once("end", end)
  signal.addEventListener("abort", end, { once: true })
  if (signal.aborted) end()
  while (!lost.signal.aborted) {
    await sleep(pingEveryMs, undefined, { signal: lost.signal }).catch(() => {})
    if (!lost.signal.aborted) await client.query("select 1").catch(end)
  }
  signal.removeEventListener("abort", end)
}
