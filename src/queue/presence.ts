import { setTimeout as sleep } from "node:timers/promises"
import type pg from "pg"
import type { Log } from "../core/log.ts"
import { createPool, type Db } from "../store/database.ts"
import { endPresenceAlone, sharePresence, tryPresenceAlone } from "../store/presence.ts"

/** This process's sign of life among those that work on the queues. */
export interface Presence {
  /**
   * Shows the sign. Where no other process shows one, every job that is held is held by the dead:
   * then `rescue` runs first, before anybody else can start to work.
   */
  start(rescue: (db: Db) => Promise<void>): Promise<void>
  stop(): Promise<void>
}

const tries = 6
const tryEveryMs = 80

/**
 * The sign is an advisory lock of a session, which the server takes back as soon as the process is
 * gone. A connection that breaks is made again; meanwhile another start may take this process for
 * dead and its jobs with it, which costs work done twice and no more, since claims are fenced.
 */
export function createPresence({ url, log }: { url: string; log: Log }): Presence {
  const pool = createPool(url, { role: "signalbox_worker", max: 1 })
  const stopping = new AbortController()
  let held: Promise<void> = Promise.resolve()

  return {
    async start(rescue) {
      const client = await pool.connect()
      try {
        await enter(client, rescue)
      } catch (error) {
        client.release(true)
        throw error
      }
      held = hold(client)
    },
    async stop() {
      stopping.abort()
      await held
      await pool.end()
    },
  }

  async function hold(first: pg.PoolClient): Promise<void> {
    let client: pg.PoolClient | undefined = first
    for (let waitMs = 250; !stopping.signal.aborted; waitMs = Math.min(2 * waitMs, 5_000)) {
      try {
        client ??= await pool.connect()
        if (client !== first) await sharePresence(client)
        waitMs = 250
        await lossOf(client, stopping.signal)
      } catch (error) {
        log.debug({ err: error }, "this worker's sign of life is not back yet")
      }
      client?.release(true)
      client = undefined
      await sleep(waitMs, undefined, { signal: stopping.signal }).catch(() => {})
    }
    client?.release(true)
  }
}

async function enter(session: pg.PoolClient, rescue: (db: Db) => Promise<void>): Promise<void> {
  for (let attempt = 0; attempt < tries; attempt++) {
    if (await tryPresenceAlone(session)) {
      await rescue(session)
      await sharePresence(session)
      await endPresenceAlone(session)
      return
    }
    await sleep(tryEveryMs) // the server may still be ending the sessions of our predecessor
  }
  await sharePresence(session)
}

/** Resolves when the connection is lost, or when `signal` says to let it go. */
function lossOf(client: pg.PoolClient, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    client.once("error", () => resolve())
    client.once("end", () => resolve())
    signal.addEventListener("abort", () => resolve(), { once: true })
    if (signal.aborted) resolve()
  })
}
