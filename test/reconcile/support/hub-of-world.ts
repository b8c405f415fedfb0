import { systemClock, type Clock } from "../../../src/core/clock.ts"
import { silentLog } from "../../../src/core/log.ts"
import type { Source } from "../../../src/core/source.ts"
import type { ReconcileOptions } from "../../../src/reconcile/options.ts"
import { reconcileSource, type ReconcileOutcome } from "../../../src/reconcile/reconcile-source.ts"
import type { ReconcileParts, ReconcileTarget } from "../../../src/reconcile/run.ts"
import type { Database } from "../../../src/store/database.ts"
import { hasty } from "./hasty.ts"
import { startSources } from "./start-sources.ts"
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
  const { database, url, submit, sources } = await startSources(worldPlatform)
  return {
    database,
    parts: { pool: database.work, submit, clock: systemClock, log: silentLog, options: hasty },
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
  more: { options?: ReconcileOptions; clock?: Clock | undefined; signal?: AbortSignal; since?: Date } = {},
): Promise<ReconcileOutcome> {
  const { options = {}, signal = new AbortController().signal, since } = more
  const clock = "clock" in more ? more.clock : parts.clock
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
