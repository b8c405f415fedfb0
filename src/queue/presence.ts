import { setTimeout as sleep } from "node:timers/promises"
import type { Log } from "../core/log.ts"
import { createPool, type Db } from "../store/database.ts"
import { endPresenceAlone, sharePresence, tryPresenceAlone } from "../store/presence.ts"
import { keepSession, type KeptSession } from "./kept-session.ts"

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
  const pool = createPool(url, {
    role: "signalbox_worker",
    name: "presence",
    max: 1,
    queryTimeoutMs: 15_000,
  })
  let session: KeptSession | undefined
  return {
    async start(rescue) {
      const prepare = (db: Db, isBack: boolean) => (isBack ? sharePresence(db) : enter(db, rescue))
      session = await keepSession(pool, prepare, log)
    },
    async stop() {
      await session?.close()
      await pool.end()
    },
  }
}

async function enter(session: Db, rescue: (db: Db) => Promise<void>): Promise<void> {
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
