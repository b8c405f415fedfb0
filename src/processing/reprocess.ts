import { setImmediate as nextTurn } from "node:timers/promises"
import type pg from "pg"
import { deploymentTable } from "../core/deployment-detail.ts"
import { lockLog, updateLog } from "../store/append-log.ts"
import { deleteHistory } from "../store/code-history.ts"
import { deleteDetails } from "../store/details.ts"
import { deleteStates, documentsOf, resettleLinks, type Document } from "../store/entity-states.ts"
import { failureOf } from "../store/failure.ts"
import { loadProcessed, lockReprocessing, type WaitingEvent } from "../store/processing.ts"
import { deleteLinksExcept, deleteReferences } from "../store/relations.ts"
import { expectTeamKeys } from "../store/team-keys.ts"
import type { Derive, Derived } from "./derive.ts"
import { failedAttempt, type FailedAttempt } from "./failed-attempt.ts"
import { fencedTransaction, unfenced } from "./fenced-transaction.ts"
import { knownTeams, type KnownTeams } from "./known-teams.ts"
import type { RuleFault } from "./rule-faults.ts"
import { whileContended } from "./while-contended.ts"
import { writeDerived, writeLinks } from "./write-derived.ts"

/** What came of events that were derived anew. */
export interface Reprocessed {
  mended: number
  /** Events that cannot be derived now; what they said before stays. */
  failed: FailedAttempt[]
  /** Rules that failed at events; the links that they had made of these stay. */
  faults: RuleFault[]
}

// Bodies held at a time, and rows written in one transaction.
const maxBodyBytes = 8 * 2 ** 20
const maxRowSize = 32 * 2 ** 20
const turnMs = 100

/** Makes known what names events show; answers whether any was not known before. */
export type Learn = (derived: readonly Derived[], known: KnownTeams) => Promise<boolean>

/**
 * Derives events of the log anew and writes what they say now over what they said: columns, details,
 * references, links, states. Their places in the log stay, nobody is told, and no handler runs again.
 * Events that are not in the log are left out. Workers may process others meanwhile, and several may
 * reprocess the same. With `learn` they are read by the names that they show themselves, too.
 */
export async function reprocess(
  { pool, derive, learn }: { pool: pg.Pool; derive: Derive; learn?: Learn },
  ids: readonly string[],
): Promise<Reprocessed> {
  const failed: FailedAttempt[] = []
  const faults: RuleFault[] = []
  let mended = 0
  for (let left = [...new Set(ids)].toSorted(); left.length > 0;) {
    await whileContended(async () => {
      const page = await loadProcessed(pool, left, maxBodyBytes)
      const known = await knownTeams(pool, page.waiting)
      let read = await deriveAnew(page.waiting, derive, known)
      if (await learn?.(read.derived, known)) {
        read = await deriveAnew(page.waiting, derive, await knownTeams(pool, page.waiting))
      }
      const refused = await writeAnew(pool, read.derived)
      failed.push(...read.unread, ...refused)
      faults.push(...read.derived.flatMap(faultsOf))
      mended += read.derived.length - refused.length
      left = page.left
    })
  }
  return { mended, failed, faults }
}

function faultsOf({ event, failures }: Derived): RuleFault[] {
  return failures.map(({ rule, error }) => ({ eventId: event.id, rule, error }))
}

async function deriveAnew(waiting: readonly WaitingEvent[], derive: Derive, known: KnownTeams) {
  const derived: Derived[] = []
  const unread: FailedAttempt[] = []
  let turnBegan = performance.now()
  for (const { event, attempts } of waiting) {
    try {
      derived.push(derive(event, attempts, known.of(event.tenant)))
    } catch (error) {
      unread.push(failedAttempt(event, attempts, "derive_failed", error))
    }
    if (performance.now() - turnBegan > turnMs) {
      await nextTurn() // signals are heard, though rules be slow
      turnBegan = performance.now()
    }
  }
  return { derived, unread }
}

async function writeAnew(pool: pg.Pool, derived: readonly Derived[]): Promise<FailedAttempt[]> {
  const [first] = derived
  if (first === undefined) return []
  if (derived.length === 1 || derived.reduce((sum, { size }) => sum + size, 0) <= maxRowSize) {
    try {
      await writeOver(pool, derived)
      return []
    } catch (error) {
      if (failureOf(error) !== "data") throw error
      if (derived.length === 1) return [failedAttempt(first.event, first.attempts, "row_refused", error)]
    }
  }
  const half = Math.ceil(derived.length / 2)
  return [...(await writeAnew(pool, derived.slice(0, half))), ...(await writeAnew(pool, derived.slice(half)))]
}

/**
 * Links are the only rows that a worker changes of events that are not its own: it settles them under
 * the lock of the log. So they are touched under it, as late as can be.
 */
async function writeOver(pool: pg.Pool, derived: readonly Derived[]): Promise<void> {
  const ids = derived.map(({ event }) => event.id)
  const links = derived.flatMap(({ linkRows }) => linkRows)
  const logRows = derived.map(({ logRow }) => logRow)
  let before: Document[] = []
  await fencedTransaction(
    pool,
    unfenced,
    async (db) => {
      const documents = Promise.all([lockReprocessing(db), documentsOf(db, ids)])
      const writes = [
        deleteReferences(db, ids),
        deleteStates(db, ids),
        deleteHistory(db, ids),
        deleteDetails(db, deploymentTable, ids), // an event may turn out to tell of none
        writeDerived(db, derived),
        updateLog(db, logRows),
      ]
      const [[, found]] = await Promise.all([documents, ...writes])
      before = found
    },
    (db) =>
      Promise.all([
        lockLog(db),
        expectTeamKeys(
          db,
          derived.map(({ keysRead }) => keysRead),
        ),
        deleteLinksExcept(db, ids, links, derived.flatMap(faultsOf)),
        writeLinks(db, derived),
        resettleLinks(db, before, ids),
      ]),
  )
}
