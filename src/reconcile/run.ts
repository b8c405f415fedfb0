import type pg from "pg"
import type { Clock } from "../core/clock.ts"
import type { Log } from "../core/log.ts"
import type { Platform } from "../core/platform.ts"
import type { Recovered, Recovery, RecoveryAccess } from "../core/remote.ts"
import type { Source } from "../core/source.ts"
import { cleanText } from "../core/text.ts"
import { addCalls, fencedSweep, type ClaimedSweep } from "../store/completeness.ts"
import type { Db } from "../store/database.ts"
import type { SourceKey } from "../store/gaps.ts"
import { headerSightings } from "../store/known-records.ts"
import { bounded } from "./bounded.ts"
import type { ReconcileOptions } from "./options.ts"

/** What the provider has of a delivery, on its way in: see `Ingest.submit`. */
export interface RecoveredSubmission extends Recovered {
  platform: string
  tenant: string
  source: string
  sender: string | undefined
  backfilled: true
}

/** Stores a delivery without verification; resolves once it is committed. */
export type SubmitRecovered = (submission: RecoveredSubmission) => Promise<{ eventId: string }>

/** What reconciling any source takes. */
export interface ReconcileParts {
  /** Under the worker role. */
  pool: pg.Pool
  submit: SubmitRecovered
  /** The time by which ledgers are kept; the database's where absent, which all processes share. */
  clock?: Clock | undefined
  log: Log
  options?: ReconcileOptions
}

/** A source, and the way to its provider. */
export interface ReconcileTarget {
  source: Source
  platform: Pick<Platform, "identify" | "keptHeaders" | "calls">
  credential: string
  apiUrl: string | null
}

/** One go at a source, by who has claimed it. */
export interface Run {
  pool: pg.Pool
  clock: Clock
  log: Log
  options: Required<ReconcileOptions>
  target: ReconcileTarget
  key: SourceKey
  recovery: Recovery
  lease: ClaimedSweep
  /** Ends with the run, and when it must stop or has lost the source. */
  signal: AbortSignal
  access: RecoveryAccess
  /** A call out of bounded time, by `work` with access of its own. */
  call<T>(what: string, work: (access: RecoveryAccess) => Promise<T>): Promise<T>
  /** Writes while nobody else has the source; throws SweepLost where somebody has. */
  write<T>(body: (db: Db) => Promise<T>): Promise<T>
  submit(recovered: Recovered): Promise<{ eventId: string }>
  /** What the sweep leaves out, for the operator; null where it leaves out nothing. */
  problem(): string | null
}

/** Makes the run of a claim. */
export function createRun(
  parts: ReconcileParts & { clock: Clock },
  options: Required<ReconcileOptions>,
  {
    target,
    recovery,
    lease,
    signal,
  }: { target: ReconcileTarget; recovery: Recovery; lease: ClaimedSweep; signal: AbortSignal },
): Run {
  const { pool, clock, submit } = parts
  const { source, credential, apiUrl } = target
  const { tenant, platform, name, settings, sender } = source
  const log = parts.log.child({ source: `${platform}/${name}` })
  let calls = 0
  const leftOut = new Set<string>()
  const access: RecoveryAccess = {
    apiUrl,
    credential,
    settings,
    clock,
    signal,
    log,
    called: () => {
      calls++
    },
    sightings: (headers) => headerSightings(pool, source, headers),
    unchecked: (why) => void leftOut.add(why),
  }
  return {
    pool,
    clock,
    log,
    options,
    target,
    key: source,
    recovery,
    lease,
    signal,
    access,
    call: (what, work) =>
      bounded({ ms: options.callTimeoutMs, signal, what }, (own) => work({ ...access, signal: own })),
    write: (body) =>
      fencedSweep(pool, lease, async (db) => {
        const counted = calls
        await addCalls(db, lease.sourceId, counted)
        const result = await body(db)
        calls -= counted
        return result
      }),
    submit: ({ headers, contentType, body }) =>
      submit({ platform, tenant, source: name, sender, headers, contentType, body, backfilled: true }),
    problem: () => (leftOut.size === 0 ? null : cleanText([...leftOut].join("; "), 1_000)),
  }
}
