import { setTimeout as sleep } from "node:timers/promises"
import type { Platform } from "../core/platform.ts"
import type { RunningSources, Source } from "../core/source.ts"
import { dueSweeps } from "../store/completeness.ts"
import { databaseClock } from "./database-clock.ts"
import { reconcileSource } from "./reconcile-source.ts"
import type { ReconcileParts, ReconcileTarget } from "./run.ts"

export interface ReconcilerOptions extends ReconcileParts {
  sources: Pick<RunningSources, "list" | "credentialOf" | "apiUrlOf">
  platforms: readonly Platform[]
  /** Sources swept at the same time by this process (4). */
  sourcesAtOnce?: number
}

/** Sweeps the sources of a process as they fall due. */
export interface Reconciler {
  /** Begins what is due, as far as there is room, and answers without waiting for its end. */
  look(): Promise<void>
  /** Puts down what is under way, for another process to go on. Idempotent. */
  stop(): Promise<void>
}

const stopPatienceMs = 10_000

/**
 * Makes the reconciler: `look` is to be called at each tick of the queue. Which process sweeps a
 * source is settled by a claim of the source, so any number of them may look at any time. Sources
 * without a credential cost nothing.
 */
export function createReconciler(options: ReconcilerOptions): Reconciler {
  const { pool, sources, log, sourcesAtOnce = 4 } = options
  const platforms = new Map<string, Platform>(options.platforms.map((platform) => [platform.name, platform]))
  const unable = new Set<string>()
  const running = new Map<string, Promise<void>>()
  const stopping = new AbortController()
  const { signal } = stopping
  let looking: Promise<void> = Promise.resolve()
  let stopped: Promise<void> | undefined

  async function look(): Promise<void> {
    if (signal.aborted || running.size >= sourcesAtOnce) return
    const targets = new Map<string, ReconcileTarget>()
    for (const source of sources.list()) {
      const target = targetOf(source)
      if (target !== undefined) targets.set(source.id, target)
    }
    if (targets.size === 0) return
    const clock = options.clock ?? (await databaseClock(pool))
    for (const id of await dueSweeps(pool, [...targets.keys()], clock())) {
      const target = targets.get(id)
      if (target === undefined || running.size >= sourcesAtOnce || signal.aborted) return
      begin(target)
    }
  }

  function targetOf(source: Source): ReconcileTarget | undefined {
    const platform = platforms.get(source.platform)
    if (platform?.calls === undefined || source.off !== undefined) return undefined
    if (running.has(source.id) || unable.has(platform.name)) return undefined
    const credential = sources.credentialOf(source)
    return credential === null
      ? undefined
      : { source, platform, credential, apiUrl: sources.apiUrlOf(source) }
  }

  function begin(target: ReconcileTarget): void {
    running.set(target.source.id, occupy(target))
  }

  async function occupy(target: ReconcileTarget): Promise<void> {
    const isDone = await sweep(target)
    running.delete(target.source.id)
    // Others may have waited for the room; after a fault of ours the next tick comes soon enough.
    if (isDone) void lookOnce().catch(() => {})
  }

  async function sweep(target: ReconcileTarget): Promise<boolean> {
    const { platform, name } = target.source
    const source = `${platform}/${name}`
    try {
      const outcome = await reconcileSource(options, target, { signal, force: false })
      if (outcome.status === "unable") unable.add(platform)
      if (outcome.status === "complete")
        log.info({ source, through: outcome.through }, "a source is complete")
      return true
    } catch (error) {
      log.error({ err: error, source }, "a source could not be reconciled")
      return false
    }
  }

  /** One look at a time: two would begin the same sources twice, to no harm but for nothing. */
  function lookOnce(): Promise<void> {
    const looked = looking.then(look)
    looking = looked.catch(() => {})
    return looked
  }

  async function stop(): Promise<void> {
    stopping.abort(new Error("this process stops"))
    const ended = new AbortController()
    await Promise.race([
      Promise.all([looking, ...running.values()]).finally(() => ended.abort()),
      sleep(stopPatienceMs, undefined, { signal: ended.signal }).catch(() => {}),
    ])
  }

  return { look: lookOnce, stop: () => (stopped ??= stop()) }
}
