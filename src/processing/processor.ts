import { setTimeout as sleep } from "node:timers/promises"
import type pg from "pg"
import type { Clock } from "../core/clock.ts"
import { createStanding, type ComponentState, type Standing } from "../core/component.ts"
import type { Correlate } from "../core/correlate.ts"
import type { Priority } from "../core/envelope.ts"
import type { Log } from "../core/log.ts"
import type { Platform } from "../core/platform.ts"
import { ClaimLost, type Claim } from "../queue/claim.ts"
import type { Queue } from "../queue/queue.ts"
import { within } from "../queue/within.ts"
import { createPool, type Database } from "../store/database.ts"
import { failureOf } from "../store/failure.ts"
import { processingSettings } from "../store/processing.ts"
import { createDerive } from "./derive.ts"
import { defaultRetryDelayMs } from "./failed-attempt.ts"
import { processClaim, type Workshop } from "./process-claim.ts"
import { processSuspect } from "./process-suspect.ts"
import { reprocess, type Reprocessed } from "./reprocess.ts"
import { createWriteOutcome, type OnProcessed } from "./write-outcome.ts"

export interface ProcessorOptions {
  database: Pick<Database, "url">
  queue: Queue
  platforms: readonly Platform[]
  correlate: Correlate
  clock: Clock
  log: Log
  /** Workers of this process for each priority (2, 2, 2, 1). */
  workers?: Readonly<Record<Priority, number>>
  /** Milliseconds to the next attempt at an event after so many (doubling from half a second). */
  retryDelayMs?: (attempts: number) => number
  /** Told of what a batch came to, once it is committed. */
  onProcessed?: OnProcessed
}

/** Turns stored events into logged ones, batch by batch, for as long as it is started. */
export interface Processor {
  start(): Promise<void>
  /** Waits for the batches in work, for up to 20 s. */
  stop(): Promise<void>
  state(): ComponentState
  /** Derives events of the log anew, see reprocess.ts; needs no start. */
  reprocess(ids: readonly string[]): Promise<Reprocessed>
}

const closeTimeoutMs = 10_000

/** Makes the processor; `start` needs a queue that is started. */
export function createProcessor(options: ProcessorOptions): Processor {
  const { database, queue, platforms, correlate, clock, log, retryDelayMs = defaultRetryDelayMs } = options
  const workers = options.workers ?? { critical: 2, high: 2, normal: 2, low: 1 }
  const pool = createPool(database.url, {
    role: "signalbox_worker",
    max: Object.values(workers).reduce((sum, count) => sum + count, 1),
    pipeline: true,
    queryTimeoutMs: 60_000,
    name: "processing",
    settings: processingSettings,
  })
  const shop: Workshop = {
    pool,
    queue,
    derive: createDerive(platforms, correlate),
    write: createWriteOutcome({ pool, queue, clock, retryDelayMs, onProcessed: options.onProcessed }),
    clock,
  }
  const standing = createStanding("a batch could not be processed and is tried again")
  let starting: Promise<void> | undefined
  let stopping: Promise<void> | undefined
  let stopWork: (() => Promise<void>) | undefined

  async function start(): Promise<void> {
    stopWork = await queue.work((claim) => handle(shop, claim, { log, standing }), workers)
  }

  async function stop(): Promise<void> {
    await starting?.catch(() => {})
    await stopWork?.()
    await within(closeTimeoutMs, pool.end()) // a statement without an answer holds its connection longer
  }

  return {
    start: () => (starting ??= start()),
    stop: () => (stopping ??= stop()),
    state: standing.state,
    reprocess: (ids) => reprocess(shop, ids),
  }
}

/** Throws where the claim's jobs are to be tried again, and not before that makes sense. */
async function handle(
  shop: Workshop,
  claim: Claim,
  { log, standing }: { log: Log; standing: Standing },
): Promise<void> {
  try {
    const fresh = claim.jobs.filter(({ retryCount }) => retryCount === 0)
    if (fresh.length > 0) await processClaim(shop, { ...claim, jobs: fresh })
    for (const job of claim.jobs) {
      if (job.retryCount > 0) await processSuspect(shop, { ...claim, jobs: [job] })
    }
    standing.well()
  } catch (error) {
    if (error instanceof ClaimLost || claim.signal.aborted) {
      log.info({ err: error, priority: claim.priority }, "a batch was left to another worker")
    } else if (failureOf(error) === "away") {
      standing.ill()
      log.warn({ err: error, priority: claim.priority }, "a batch waits for the database to come back")
      await untilBack(shop.pool, claim.signal)
    } else {
      standing.ill()
      log.error({ err: error, priority: claim.priority }, "a batch could not be processed and is tried again")
      await pause(delayBefore(claim), claim.signal)
    }
    throw error
  }
}

async function untilBack(pool: pg.Pool, signal: AbortSignal): Promise<void> {
  for (let waitMs = 100; !signal.aborted; waitMs = Math.min(2 * waitMs, 2_000)) {
    await pause(waitMs, signal)
    const back = await pool.query("select 1").then(
      () => true,
      () => false,
    )
    if (back) return
  }
}

/** Something of ours, or the schema, is at fault: no event is to blame, and a mend may take long. */
function delayBefore({ jobs }: Claim): number {
  const retries = Math.max(...jobs.map(({ retryCount }) => retryCount))
  return Math.min(10_000, 200 * 2 ** Math.min(retries, 10)) * (0.75 + Math.random() / 2)
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {})
}
