import { claimSweep, pauseSweep, releaseSweep, wantSweep, SweepLost } from "../store/completeness.ts"
import { databaseClock } from "./database-clock.ts"
import { keepLease } from "./keep-lease.ts"
import { withDefaults } from "./options.ts"
import { createRun, type ReconcileParts, type ReconcileTarget, type Run } from "./run.ts"
import { setbackOf } from "./setback.ts"
import { sweepWindow, windowOf } from "./sweep.ts"

/** How a run at a source ended. */
export type ReconcileOutcome =
  /** The window was swept whole, up to `through`, and no gap is open. */
  | { status: "complete"; through: Date }
  /** Something is in the way; the sweep goes on from where it stands when it is run again, from `nextAt` on. */
  | { status: "paused"; problem: string; nextAt: Date }
  /** Another run has the source, or its time has not come. */
  | { status: "busy" }
  /** The run was told to stop, or has lost the source; another one goes on. */
  | { status: "stopped" }
  /** The platform keeps no record that could be asked. */
  | { status: "unable" }

export interface ReconcileSourceOptions {
  signal: AbortSignal
  /** Whether to begin before the source's time has come (true); a provider's limit is kept to anyway. */
  force?: boolean
  /** From when on to look, where that is earlier than it would. */
  since?: Date
}

/**
 * Reconciles one source, once, to the end of its window or to what stops it. It may be killed at any
 * point and run again, or run twice at the same time: the result is the same. Nothing else is needed
 * than the database and a way to submit, so a test may drive it:
 * `await reconcileSource({ pool, submit, log, options: { settleMs: 0, patienceMs: 200, spacingMs: 0 } },
 * { source, platform, credential, apiUrl }, { signal, since })`.
 */
export async function reconcileSource(
  parts: ReconcileParts,
  target: ReconcileTarget,
  { signal, force = true, since }: ReconcileSourceOptions,
): Promise<ReconcileOutcome> {
  const { pool } = parts
  const { source } = target
  const options = withDefaults(parts.options)
  const recovery = (await target.platform.calls?.load())?.recovery
  if (recovery === undefined) return { status: "unable" }
  const clock = parts.clock ?? (await databaseClock(pool))
  if (since !== undefined) await wantSweep(pool, source, { now: clock(), since })
  const { leaseMs } = options
  const lease = await claimSweep(pool, source.id, { now: clock(), leaseMs, force })
  if (lease === undefined) return { status: "busy" }

  const own = new AbortController()
  const kept = keepLease(pool, lease, { leaseMs, onLost: (reason) => own.abort(reason) })
  const ended = AbortSignal.any([signal, own.signal])
  const run = createRun({ ...parts, clock }, options, { target, recovery, lease, signal: ended })
  try {
    return await sweep(run)
  } catch (error) {
    if (ended.aborted || error instanceof SweepLost) {
      await releaseSweep(pool, lease)
      return { status: "stopped" }
    }
    return await pause(run, error)
  } finally {
    kept.stop()
    own.abort() // whatever call still hangs is told
  }
}

async function sweep(run: Run): Promise<ReconcileOutcome> {
  const now = run.clock()
  const window = windowOf(run.lease, run.options, now)
  if (window.until <= window.since) {
    const settled = new Date(window.since.getTime() + run.options.settleMs + 1_000)
    return putDown(run, "nothing can have settled yet", settled)
  }
  const isWhole = await sweepWindow(run, window)
  return isWhole
    ? { status: "complete", through: window.until }
    : putDown(run, "other sources have their turn", run.clock())
}

async function putDown(run: Run, problem: string, nextAt: Date): Promise<ReconcileOutcome> {
  const nothing = { now: run.clock(), nextAt, problem: null, limitedUntil: null, failures: 0 }
  await run.write((db) => pauseSweep(db, run.lease.sourceId, nothing))
  return { status: "paused", problem, nextAt }
}

async function pause(run: Run, error: unknown): Promise<ReconcileOutcome> {
  const { failures } = run.lease
  const setback = setbackOf(error, { now: run.clock(), failures, options: run.options })
  const { problem, nextAt } = setback
  run.log.warn({ err: error, nextAt }, "a sweep is put down and goes on later")
  await run.write((db) => pauseSweep(db, run.lease.sourceId, setback))
  return { status: "paused", problem, nextAt }
}
