import type pg from "pg"
import { deploymentTable } from "../core/deployment-detail.ts"
import { lockLog, updateLog } from "../store/append-log.ts"
import { deleteDetails } from "../store/details.ts"
import { documentsOf, resettleLinks, settleLinks } from "../store/entity-states.ts"
import { failureOf } from "../store/failure.ts"
import { loadProcessed } from "../store/processing.ts"
import { deleteRelations } from "../store/relations.ts"
import type { Derive, Derived } from "./derive.ts"
import { failedAttempt, type FailedAttempt } from "./failed-attempt.ts"
import { fencedTransaction, unfenced } from "./fenced-transaction.ts"
import { writeDerived } from "./write-derived.ts"

/** What came of events that were derived anew. */
export interface Reprocessed {
  mended: number
  /** Events that cannot be derived now; what they said before stays. */
  failed: FailedAttempt[]
}

const maxBodyBytes = 8 * 2 ** 20

/**
 * Derives events of the log anew and writes what they say now over what they said: columns, details,
 * references, links. Their places in the log stay, nobody is told, and no handler runs again. Events
 * that are not in the log are left out.
 */
export async function reprocess(
  { pool, derive }: { pool: pg.Pool; derive: Derive },
  ids: readonly string[],
): Promise<Reprocessed> {
  const failed: FailedAttempt[] = []
  let mended = 0
  for (let left = [...new Set(ids)].toSorted(); left.length > 0;) {
    const page = await loadProcessed(pool, left, maxBodyBytes)
    left = page.left
    const derived: Derived[] = []
    for (const { event, attempts } of page.waiting) {
      try {
        derived.push(derive(event, attempts))
      } catch (error) {
        failed.push(failedAttempt(event, attempts, "derive_failed", error))
      }
    }
    const refused = await writeAnew(pool, derived)
    failed.push(...refused)
    mended += derived.length - refused.length
  }
  return { mended, failed }
}

async function writeAnew(pool: pg.Pool, derived: readonly Derived[]): Promise<FailedAttempt[]> {
  const [first] = derived
  if (first === undefined) return []
  const ids = derived.map(({ event }) => event.id)
  const rows = derived.map(({ logRow }) => logRow)
  try {
    await fencedTransaction(pool, unfenced, async (db) => {
      const before = await documentsOf(db, ids)
      await Promise.all([
        deleteRelations(db, ids),
        deleteDetails(db, deploymentTable, ids), // an event may turn out to tell of none
        writeDerived(db, derived),
        updateLog(db, rows),
        lockLog(db), // links are settled under it; last, as everybody takes it
        resettleLinks(db, before),
        settleLinks(db, ids),
      ])
    })
    return []
  } catch (error) {
    if (failureOf(error) !== "data") throw error
    if (derived.length === 1) return [failedAttempt(first.event, first.attempts, "row_refused", error)]
  }
  const half = Math.ceil(derived.length / 2)
  return [...(await writeAnew(pool, derived.slice(0, half))), ...(await writeAnew(pool, derived.slice(half)))]
}
