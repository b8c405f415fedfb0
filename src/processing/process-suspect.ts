import type { Claim } from "../queue/claim.ts"
import { countAttempts, uncountAttempts } from "../store/processing.ts"
import { failedAttempt, maxAttempts, type FailedAttempt } from "./failed-attempt.ts"
import { fencedTransaction } from "./fenced-transaction.ts"
import { deriveAll, writeApart, type Workshop } from "./process-claim.ts"
import { whileContended } from "./while-contended.ts"

const firstChunk = 25

/**
 * Processes a job that was claimed before and not completed: perhaps one of its events kills
 * whoever touches it. So every event's attempt is counted, and that is committed, before it is
 * touched: a few events together at the second claim, one by one from the third on. What has had its
 * attempts becomes a dead letter, and the rest of the job goes on.
 */
export async function processSuspect(shop: Workshop, claim: Claim): Promise<void> {
  const ids = [...new Set(claim.jobs.flatMap(({ eventIds }) => eventIds))].toSorted()
  const retries = Math.max(...claim.jobs.map(({ retryCount }) => retryCount))
  const size = retries === 1 ? firstChunk : 1
  for (let from = 0; from < ids.length; from += size) {
    await processCounted(shop, claim, ids.slice(from, from + size))
  }
  await shop.queue.complete(shop.pool, claim)
}

async function processCounted(shop: Workshop, claim: Claim, ids: readonly string[]): Promise<void> {
  const claimedAt = shop.clock()
  const renew: Parameters<typeof fencedTransaction>[1] = (db) => shop.queue.renew(db, claim)
  const counted = await fencedTransaction(shop.pool, renew, (db) => countAttempts(db, ids, claimedAt))
  const alive = counted.filter(({ attempts }) => attempts <= maxAttempts).map(({ event }) => event.id)
  const spent = counted.filter(({ attempts }) => attempts > maxAttempts)
  try {
    await whileContended(async () => {
      const { derived, failed } = await deriveAll(shop, claim, alive, 0)
      const refused = await writeApart(shop, claim, derived, claimedAt)
      const died = spent.map(({ event }): FailedAttempt =>
        failedAttempt(event, maxAttempts, "worker_died", "its worker died at every attempt to process it"),
      )
      const all = [...died, ...failed, ...refused]
      if (all.length > 0) await shop.write({ derived: [], failed: all, claimedAt }, renew)
    })
  } catch (error) {
    // This worker lives, so none of them killed it. Where the database is away, the count stands.
    await uncountAttempts(shop.pool, alive).catch(() => {})
    throw error
  }
}
