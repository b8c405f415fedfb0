import type { Completeness } from "./api/completeness.ts"
import type { Clock } from "./core/clock.ts"
import { createStanding, type ComponentState } from "./core/component.ts"
import type { Log } from "./core/log.ts"
import type { Platform } from "./core/platform.ts"
import type { RunningSources } from "./core/source.ts"
import type { Ingest } from "./ingest/ingest.ts"
import type { Queue } from "./queue/queue.ts"
import type { ReconcileOptions } from "./reconcile/options.ts"
import { createReconciler } from "./reconcile/reconciler.ts"
import { wantSweep } from "./store/completeness.ts"
import type { Database } from "./store/database.ts"

export interface StartReconcileOptions {
  database: Database
  queue: Queue
  sources: RunningSources
  platforms: readonly Platform[]
  ingest: Pick<Ingest, "submit">
  clock: Clock
  log: Log
  options: ReconcileOptions | undefined
}

/** Sweeps sources at the ticks of the queue, until `stack` is disposed; answers what tells how that goes. */
export function startReconciler(
  stack: AsyncDisposableStack,
  parts: Omit<StartReconcileOptions, "clock">,
): () => ComponentState {
  const { database, queue, sources, platforms, ingest, log, options = {} } = parts
  const reconciler = createReconciler({
    pool: database.work,
    sources,
    platforms,
    submit: ingest.submit,
    log,
    options,
  })
  stack.defer(() => reconciler.stop())
  const standing = createStanding("sources that are due could not be looked up and are looked for again")
  const stopTicks = queue.onTick(async () => {
    try {
      await reconciler.look()
      standing.well()
    } catch (error) {
      standing.ill()
      throw error
    }
  })
  stack.defer(() => stopTicks())
  return standing.state
}

/** What the API may ask, in whatever process it runs. */
export function completenessOf({
  database,
  queue,
  sources,
  platforms,
  clock,
}: Pick<StartReconcileOptions, "database" | "queue" | "sources" | "platforms" | "clock">): Completeness {
  const ways = new Map<string, Platform["calls"]>(platforms.map(({ name, calls }) => [name, calls]))
  return {
    unaskable(platform, name) {
      const way = ways.get(platform)
      if (way === undefined) return `${platform} keeps no record that could be asked`
      const source = sources.find(platform, name)
      if (source === undefined) return null // made a moment ago: whoever sweeps will see
      if (source.off !== undefined) return source.off
      if (sources.credentialOf(source) !== null) return null
      return `no credential: set ${way.credentialVariable}, or give the source one of its own by sources set --token-env`
    },
    async want(source, since) {
      await wantSweep(database.work, source, { now: clock(), since })
      await queue.tick()
    },
  }
}
