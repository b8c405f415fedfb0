import type pg from "pg"
import type { Clock } from "../core/clock.ts"
import type { Queue } from "../queue/queue.ts"
import { appendToLog } from "../store/append-log.ts"
import type { Db } from "../store/database.ts"
import { insertDeadLetters } from "../store/dead-letters.ts"
import { settleLinks } from "../store/entity-states.ts"
import { addCounts } from "../store/metrics.ts"
import { expectTeamKeys } from "../store/team-keys.ts"
import { insertTimings, writeStatuses, type ProcessingStatus } from "../store/processing.ts"
import { countEvents } from "./count-events.ts"
import type { Derived } from "./derive.ts"
import { maxAttempts, type FailedAttempt } from "./failed-attempt.ts"
import { fencedTransaction, type Fence } from "./fenced-transaction.ts"
import { writeDerived, writeLinks } from "./write-derived.ts"

/** What came of a batch: events to write and append, in this order, and events that failed. */
export interface Outcome {
  derived: readonly Derived[]
  failed: readonly FailedAttempt[]
  /** When a worker took the batch on. */
  claimedAt: Date
}

/** Writes an outcome in one transaction; throws ClaimLost or what the database says, and then wrote nothing. */
export type WriteOutcome = (outcome: Outcome, fence: Fence) => Promise<void>

/** An event that was written to the log, or given up as a dead letter. */
export interface ProcessedEvent {
  platform: string
  /** Milliseconds from its receipt until now. */
  ms: number
  dead: boolean
}

/** Told of what a batch came to, once it is committed. */
export type OnProcessed = (events: readonly ProcessedEvent[]) => void

/** Makes the writer; `pool` hands out pipelining connections. */
export function createWriteOutcome({
  pool,
  queue,
  clock,
  retryDelayMs,
  onProcessed,
}: {
  pool: pg.Pool
  queue: Pick<Queue, "enqueue">
  clock: Clock
  retryDelayMs: (attempts: number) => number
  onProcessed?: OnProcessed | undefined
}): WriteOutcome {
  return async (outcome, fence) => {
    await fencedTransaction(
      pool,
      fence,
      (db) =>
        Promise.all([
          writeDerived(db, outcome.derived),
          writeLinks(db, outcome.derived),
          writeFailures(db, outcome),
          writeStanding(db, outcome),
        ]),
      (db) => finish(db, outcome),
    )
    onProcessed?.(processedOf(outcome, clock()))
  }

  async function writeFailures(db: Db, { failed }: Outcome): Promise<void> {
    const dead = failed.filter(isDead)
    const again = failed.filter((failure) => !isDead(failure))
    const writes = again.map(({ event, attempts }) =>
      queue.enqueue(db, [{ priority: event.priority, eventIds: [event.id] }], retryDelayMs(attempts)),
    )
    if (dead.length > 0) {
      const letters = dead.map(({ event, attempts, code, error }) => ({
        tenant: event.tenant,
        kind: "processing" as const,
        eventId: event.id,
        subscriptionId: null,
        attempts,
        errorCode: code,
        error,
      }))
      writes.push(insertDeadLetters(db, letters))
    }
    await Promise.all(writes)
  }

  async function finish(db: Db, { derived, failed, claimedAt }: Outcome): Promise<void> {
    const now = clock()
    const counts = countEvents(derived, failed.filter(isDead), now)
    if (derived.length === 0) {
      if (counts.length > 0) await addCounts(db, counts)
      return
    }
    const timings = derived.map(({ event }) => ({
      id: event.id,
      tenant: event.tenant,
      queueMs: Math.max(0, claimedAt.getTime() - event.receivedAt.getTime()),
    }))
    const rows = derived.map(({ logRow }) => logRow)
    await Promise.all([
      insertTimings(db, timings, Math.max(0, now.getTime() - claimedAt.getTime()), now),
      appendToLog(db, rows, counts),
      expectTeamKeys(
        db,
        derived.map(({ keysRead }) => keysRead),
      ), // under the lock that appending took, as what follows
      settle(db, derived),
    ])
  }
}

function processedOf({ derived, failed }: Outcome, now: Date): ProcessedEvent[] {
  const of = ({ platform, receivedAt }: Derived["event"], dead: boolean): ProcessedEvent => ({
    platform,
    ms: Math.max(0, now.getTime() - receivedAt.getTime()),
    dead,
  })
  return [
    ...derived.map(({ event }) => of(event, false)),
    ...failed.filter(isDead).map(({ event }) => of(event, true)),
  ]
}

async function settle(db: Db, derived: readonly Derived[]): Promise<void> {
  const stating = derived.filter(({ stateRows }) => stateRows.length > 0)
  if (stating.length > 0)
    await settleLinks(
      db,
      stating.map(({ event }) => event.id),
    )
}

async function writeStanding(db: Db, { derived, failed, claimedAt }: Outcome): Promise<void> {
  const done = derived.map(({ event, attempts }): ProcessingStatus => {
    return {
      event_id: event.id,
      tenant: event.tenant,
      status: "processed",
      attempts,
      last_error: null,
      at: claimedAt,
    }
  })
  const not = failed.map((failure): ProcessingStatus => {
    const { event, attempts, error } = failure
    const status = isDead(failure) ? "dead" : "retrying"
    return { event_id: event.id, tenant: event.tenant, status, attempts, last_error: error, at: claimedAt }
  })
  if (done.length + not.length > 0) await writeStatuses(db, [...done, ...not])
}

function isDead({ attempts }: FailedAttempt): boolean {
  return attempts >= maxAttempts
}
