import { afterAll } from "vitest"
import { systemClock, type Clock } from "../../../src/core/clock.ts"
import { silentLog } from "../../../src/core/log.ts"
import type { Source } from "../../../src/core/source.ts"
import { createProcessor } from "../../../src/processing/processor.ts"
import { createQueue } from "../../../src/queue/queue.ts"
import type { ReconcileOptions } from "../../../src/reconcile/options.ts"
import { reconcileSource, type ReconcileOutcome } from "../../../src/reconcile/reconcile-source.ts"
import type { ReconcileParts, ReconcileTarget } from "../../../src/reconcile/run.ts"
import type { Database } from "../../../src/store/database.ts"
import { startIngest } from "../../ingest/support/start-ingest.ts"
import { linkAll } from "../../processing/obedient.ts"
import { testDatabase } from "../../support/database.ts"
import { hasty } from "./hasty.ts"
import { startWorld, type World } from "./world.ts"
import { worldPlatform } from "./world-platform.ts"

/** A way in, processing and a provider, of one test file; each source is a world of its own within them. */
export interface WorldHub {
  database: Database
  parts: ReconcileParts
  /** A new source with nothing in it, and its world. */
  newWorld(): Promise<{ source: Source; world: World; target: ReconcileTarget }>
}

/** Starts all of it on a database of the test file's own; it ends after the file. */
export async function startWorldHub(): Promise<WorldHub> {
  const database = await testDatabase()
  const queue = createQueue({ url: database.url, log: silentLog })
  await queue.start()
  const processor = createProcessor({
    database,
    queue,
    platforms: [worldPlatform],
    correlate: linkAll,
    clock: systemClock,
    log: silentLog,
  })
  await processor.start()
  const sources = new Map<string, Source>()
  const { url, ingest } = await startIngest({
    database,
    platforms: [worldPlatform],
    secrets: {},
    sources: { find: (_platform, name) => sources.get(name) },
  })
  afterAll(async () => {
    await processor.stop()
    await queue.stop()
  })
  return {
    database,
    parts: { pool: database.work, submit: ingest.submit, clock: systemClock, log: silentLog, options: hasty },
    async newWorld() {
      const name = `world-${sources.size + 1}`
      const { rows } = await database.work.query<{ id: string }>(
        `insert into sources (tenant, platform, name, created_at)
         values ('acme', 'custom', $1, now() - interval '2 days') returning id`,
        [name],
      )
      const id = rows[0]?.id ?? ""
      const source: Source = { id, tenant: "acme", platform: "custom", name, settings: {}, secrets: [] }
      sources.set(name, source)
      const world = await startWorld({ hook: () => `${url}/webhooks/custom/${name}` })
      const target = { source, platform: worldPlatform, credential: "token", apiUrl: world.url }
      return { source, world, target }
    },
  }
}

/** Runs a source until it is done or cannot go on, with short patience. */
export function reconcile(
  { parts }: WorldHub,
  target: ReconcileTarget,
  more: { options?: ReconcileOptions; clock?: Clock; signal?: AbortSignal; since?: Date } = {},
): Promise<ReconcileOutcome> {
  const { options = {}, clock = parts.clock, signal = new AbortController().signal, since } = more
  return reconcileSource({ ...parts, clock, options: { ...hasty, ...options } }, target, {
    signal,
    ...(since === undefined ? {} : { since }),
  })
}

/** Delivery keys of a source's events, and whether each was backfilled. */
export async function eventsOf(database: Database, source: Source): Promise<Record<string, boolean>> {
  const { rows } = await database.work.query<{ key: string; backfilled: boolean }>(
    "select delivery_id as key, backfilled from events where platform = 'custom' and source = $1 order by 1",
    [source.name],
  )
  return Object.fromEntries(rows.map(({ key, backfilled }) => [key, backfilled]))
}

/** A source's gaps by `kind key`, as `state` and, for the lost, why. */
export async function gapsOf(database: Database, source: Source): Promise<Record<string, string>> {
  const { rows } = await database.work.query<{ gap: string; state: string }>(
    `select kind || ' ' || key as gap, state || coalesce(': ' || note, '') as state
     from source_gaps where source_id = $1 order by 1`,
    [source.id],
  )
  return Object.fromEntries(rows.map(({ gap, state }) => [gap, state]))
}

/** The ledger's line of a source. */
export async function ledgerOf(database: Database, source: Source) {
  const { rows } = await database.work.query<{
    complete_from: Date | null
    complete_through: Date | null
    problem: string | null
    calls: number
    repaired: number
    open: number
    lost: number
    summary: string
    running: boolean
  }>("select * from source_ledger where source_id = $1", [source.id])
  return rows[0]!
}
