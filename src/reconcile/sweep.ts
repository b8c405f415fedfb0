import type { Finding, LoggedDelivery, LoggedRecord, SweepPage } from "../core/remote.ts"
import { beginWindow, endWindow, keepCursor, type ClaimedSweep } from "../store/completeness.ts"
import { recordGaps, settleArrived, settleOutages } from "../store/gaps.ts"
import { bounded } from "./bounded.ts"
import { findMissing } from "./judge-deliveries.ts"
import type { ReconcileOptions } from "./options.ts"
import { repairDeliveries } from "./repair-deliveries.ts"
import type { Run } from "./run.ts"
import { settleRecords } from "./settle-records.ts"

/** A window with something in it, and where its sweep stands. */
export interface Window {
  since: Date
  until: Date
  cursor: string | null
}

/**
 * The window that a claimed source is to be swept over: the one under way, or the one that follows on
 * what is complete, reaching back to where somebody asked it to. There is never a gap between two. A
 * ledger, or a window, that is ahead of the clock was written while the clock was wrong: what was
 * really looked at until then nobody knows, and the source is swept as if for the first time.
 */
export function windowOf(lease: ClaimedSweep, options: Required<ReconcileOptions>, now: Date): Window {
  const { sweptFrom, sweptUntil, cursor, completeThrough, createdAt, wantedSince } = lease
  const isUnderWay = sweptFrom !== null && sweptUntil !== null && sweptUntil <= now
  if (isUnderWay && wantedSince === null && !isAhead(lease, options, now)) {
    return { since: sweptFrom, until: sweptUntil, cursor }
  }
  const settled = now.getTime() - options.settleMs
  const horizon = now.getTime() - options.horizonMs
  const first = createdAt > now ? horizon : Math.max(createdAt.getTime(), horizon)
  const isKnown = completeThrough !== null && !isAhead(lease, options, now)
  const usual = isKnown ? Math.min(completeThrough.getTime(), settled) - options.overlapMs : first
  const begun = isUnderWay ? sweptFrom.getTime() : Infinity
  const asked = wantedSince?.getTime() ?? Infinity
  return {
    since: new Date(Math.min(usual, asked, begun)),
    until: new Date(settled),
    cursor: null,
  }
}

/**
 * Whether a ledger says more than can be known at `now`. By less than the windows overlap it may: then
 * each of them reached back to what was there when the one before it was swept.
 */
function isAhead({ completeThrough }: ClaimedSweep, options: Required<ReconcileOptions>, now: Date): boolean {
  const { settleMs, overlapMs } = options
  return completeThrough !== null && completeThrough.getTime() > now.getTime() - settleMs + overlapMs
}

/**
 * Sweeps a window to its end, repairing what is missing, and writes the ledger on; false where the turn
 * was over before that, with the way so far kept.
 */
export async function sweepWindow(run: Run, window: Window): Promise<boolean> {
  const { sourceId } = run.lease
  const turnEnds = performance.now() + run.options.turnMs
  const { since, until, cursor } = window
  const forgets = isAhead(run.lease, run.options, run.clock())
  if (cursor === null) await run.write((db) => beginWindow(db, run.lease, { since, until, forgets }))
  for await (const page of pagesOf(run, window)) {
    const keep = (db: Parameters<typeof keepCursor>[0]): Promise<void> => keepCursor(db, sourceId, page)
    const deliveries = page.findings.filter(isDelivery)
    const records = page.findings.filter(isRecord)
    const gaps = await findMissing(run, deliveries)
    await run.write(async (db) => {
      await recordGaps(db, run.lease, "delivery", gaps)
      if (records.length === 0) await keep(db)
    })
    if (records.length > 0) {
      await repairDeliveries(run)
      await settleRecords(run, records, keep)
    }
    if (performance.now() > turnEnds) return false
  }
  await repairDeliveries(run)
  const now = run.clock()
  await run.write(async (db) => {
    await settleArrived(db, sourceId, run.key, now)
    const nextAt = new Date(now.getTime() + run.options.everyMs)
    const settled = new Date(now.getTime() - run.options.settleMs)
    await endWindow(db, sourceId, { now, settled, nextAt, problem: run.problem() })
    await settleOutages(db, sourceId, now)
  })
  return true
}

/** The pages as they come; a provider that hangs is waited for no longer than it may take. */
async function* pagesOf(run: Run, window: Window): AsyncGenerator<SweepPage> {
  const { signal, options, recovery, access } = run
  const pages = recovery.sweep(access, window)[Symbol.asyncIterator]()
  const bounds = { ms: options.pageTimeoutMs, signal, what: "the provider, asked for its record," }
  let isOver = false
  try {
    for (;;) {
      const { done, value } = await bounded(bounds, () => pages.next()).catch((error: unknown) => {
        isOver = true // a generator that has thrown, or hangs, has nothing left to close
        throw error
      })
      if (done === true) {
        isOver = true
        return
      }
      yield value
    }
  } finally {
    if (!isOver) void Promise.resolve(pages.return?.()).catch(() => {})
  }
}

function isDelivery(finding: Finding): finding is LoggedDelivery {
  return finding.kind === "delivery"
}

function isRecord(finding: Finding): finding is LoggedRecord {
  return finding.kind === "record"
}
