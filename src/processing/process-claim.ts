import { setImmediate as nextTurn } from "node:timers/promises"
import type pg from "pg"
import type { Clock } from "../core/clock.ts"
import { ClaimLost, type Claim } from "../queue/claim.ts"
import type { Queue } from "../queue/queue.ts"
import { failureOf } from "../store/failure.ts"
import { loadWaiting, type WaitingEvent } from "../store/processing.ts"
import type { Derive, Derived } from "./derive.ts"
import { failedAttempt, type FailedAttempt } from "./failed-attempt.ts"
import { knownTeams, type KnownTeams } from "./known-teams.ts"
import { learnTeams } from "./learn-teams.ts"
import { whileContended } from "./while-contended.ts"
import type { Outcome, WriteOutcome } from "./write-outcome.ts"

/** What the work on claims needs. */
export interface Workshop {
  /** Hands out pipelining connections. */
  pool: pg.Pool
  queue: Pick<Queue, "complete" | "renew">
  derive: Derive
  write: WriteOutcome
  clock: Clock
}

// Bodies held at a time by one worker, and rows written in one transaction.
const maxBodyBytes = 8 * 2 ** 20
const maxRowSize = 32 * 2 ** 20
const turnMs = 8

/**
 * Processes the events of a claim whose jobs nobody has tried before: all in one transaction with the
 * completion of the jobs. Where the database refuses a row, the batch is halved until the event that
 * it belongs to stands alone, and the others are written without it.
 */
export async function processClaim(shop: Workshop, claim: Claim): Promise<void> {
  const claimedAt = shop.clock()
  const complete = (db: Parameters<Queue["complete"]>[0]) => shop.queue.complete(db, claim)
  await whileContended(async () => {
    const ids = [...new Set(claim.jobs.flatMap(({ eventIds }) => eventIds))].toSorted()
    const { derived, failed } = await deriveAll(shop, claim, ids, 1)
    const whole: Outcome = { derived, failed, claimedAt }
    if (sizeOf(derived) <= maxRowSize) {
      try {
        await shop.write(whole, complete)
        return
      } catch (error) {
        if (!isRefusal(error)) throw error
      }
    }
    const refused = await writeApart(shop, claim, derived, claimedAt)
    await shop.write({ derived: [], failed: [...failed, ...refused], claimedAt }, complete)
  })
}

interface Derivation {
  derived: Derived[]
  failed: FailedAttempt[]
}

/** Loads and derives events; `counting` is added to the attempts that are known of each. */
export async function deriveAll(
  shop: Pick<Workshop, "pool" | "queue" | "derive">,
  claim: Claim,
  ids: readonly string[],
  counting: 0 | 1,
): Promise<Derivation> {
  const all: Derivation = { derived: [], failed: [] }
  for (let left = ids; left.length > 0;) {
    const page = await loadWaiting(shop.pool, left, maxBodyBytes)
    left = page.left
    const known = await knownTeams(shop.pool, page.waiting)
    let part = await derivePage(shop, claim, page.waiting, known, counting)
    if (await learnTeams(shop, claim, part.derived, known)) {
      const now = await knownTeams(shop.pool, page.waiting)
      part = await derivePage(shop, claim, page.waiting, now, counting)
    }
    all.derived.push(...part.derived)
    all.failed.push(...part.failed)
  }
  return all
}

async function derivePage(
  { derive }: Pick<Workshop, "derive">,
  { signal }: Claim,
  waiting: readonly WaitingEvent[],
  known: KnownTeams,
  counting: 0 | 1,
): Promise<Derivation> {
  const derived: Derived[] = []
  const failed: FailedAttempt[] = []
  let turnBegan = performance.now()
  for (const { event, attempts } of waiting) {
    signal.throwIfAborted()
    try {
      derived.push(derive(event, attempts + counting, known.of(event.tenant)))
    } catch (error) {
      failed.push(failedAttempt(event, attempts + counting, "derive_failed", error))
    }
    if (performance.now() - turnBegan > turnMs) {
      await nextTurn() // requests and streams of this process wait for the same thread
      turnBegan = performance.now()
    }
  }
  return { derived, failed }
}

/** Writes what the database takes, in order, and answers what it refused. */
export async function writeApart(
  shop: Workshop,
  claim: Claim,
  derived: readonly Derived[],
  claimedAt: Date,
): Promise<FailedAttempt[]> {
  const [first] = derived
  if (first === undefined) return []
  if (derived.length === 1 || sizeOf(derived) <= maxRowSize) {
    try {
      await shop.write({ derived, failed: [], claimedAt }, (db) => shop.queue.renew(db, claim))
      return []
    } catch (error) {
      if (!isRefusal(error)) throw error
      if (derived.length === 1) return [failedAttempt(first.event, first.attempts, "row_refused", error)]
    }
  }
  const half = Math.ceil(derived.length / 2)
  const early = await writeApart(shop, claim, derived.slice(0, half), claimedAt)
  const late = await writeApart(shop, claim, derived.slice(half), claimedAt)
  return [...early, ...late]
}

function isRefusal(error: unknown): boolean {
  return !(error instanceof ClaimLost) && failureOf(error) === "data"
}

function sizeOf(derived: readonly Derived[]): number {
  return derived.reduce((sum, { size }) => sum + size, 0)
}
