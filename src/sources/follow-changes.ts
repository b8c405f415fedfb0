import type { Log } from "../core/log.ts"
import type { Db } from "../store/database.ts"
import { watchSources, type SourceWatch } from "../store/source-changes.ts"

export interface FollowOptions {
  databaseUrl: string
  /** Looks for changes; told of every hint, and every `pollMs` anyway. */
  look: (db: Db) => Promise<void>
  /** Milliseconds between two looks at most. */
  pollMs: number
  log: Log
}

/** Somebody who follows changes. */
export interface Follower {
  /** Ends after a last look. */
  stop(): Promise<void>
}

/** Hints within this time share a look. */
const gatherMs = 20

/** A look that failed is repeated after this; hints may be missed until one succeeds. */
const retryMs = 1_000

/** Looks for changes on a connection of its own until stopped. It outlives restarts of the database. */
export function followChanges({ databaseUrl, look, pollMs, log }: FollowOptions): Follower {
  let watch: SourceWatch | undefined
  const stopped = new AbortController()
  let failures = 0
  let rung = false
  let wake: (() => void) | undefined
  const ring = () => {
    rung = true
    wake?.()
  }

  async function pause(ms: number): Promise<void> {
    if (rung) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    wake = undefined
  }

  async function lookOnce(): Promise<void> {
    rung = false
    try {
      watch ??= await watchSources({ url: databaseUrl, onHint: ring, onLost: lose })
      await look(watch.db)
      if (failures > 0) log.info({}, "changes to sources are followed again")
      failures = 0
    } catch (error) {
      if (failures++ === 0) {
        log.warn({ err: error }, "changes to sources cannot be read; what is known stays in force")
      }
      await close()
    }
  }

  function lose(): void {
    void close()
    ring()
  }

  async function close(): Promise<void> {
    const closing = watch
    watch = undefined
    await closing?.close().catch(() => {})
  }

  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      await lookOnce()
      await pause(failures === 0 ? pollMs : Math.min(pollMs, retryMs))
      if (!stopped.signal.aborted) await new Promise((resolve) => setTimeout(resolve, gatherMs))
    }
    if (failures === 0) await lookOnce()
    await close()
  }

  const running = run()
  return {
    stop() {
      stopped.abort()
      ring()
      return running
    },
  }
}
