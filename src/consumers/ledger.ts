import type { Pool } from "pg"
import type { Clock } from "../core/clock.ts"
import type { Lease } from "../store/consumer-leases.ts"
import type { ConsumerKind } from "../store/consumers.ts"
import {
  beginAttempts,
  leaseKey,
  settleAttempts,
  type Begin,
  type Settle,
  type Settlement,
  toSettle,
} from "../store/deliveries.ts"
import { failureOf } from "../store/failure.ts"
import { coalesce } from "./coalesce.ts"

/**
 * The lease under which something was to be written belongs to somebody else now; or, where a page was to begin, the
 * database was set back and does not have what was written before.
 */
export const lost = "lost"

/** Writes the attempts of all consumers of a process, many in one statement. */
export interface Ledger {
  /** Counts first attempts and moves the cursor; answers the ids of the events that are new. */
  begin(page: Begin): Promise<Set<string> | typeof lost>
  /** Writes what came of an attempt; may be repeated. */
  settle(lease: Lease, kind: ConsumerKind, settlement: Settlement): Promise<"written" | typeof lost>
}

const maxPages = 64
const maxSettlements = 256

/** Makes the ledger of a process. */
export function createLedger(pool: Pool, clock: Clock): Ledger {
  const begin = coalesce<Begin, Set<string> | typeof lost>(async (pages) => {
    const begun = await beginAttempts(pool, pages, clock())
    return pages.map(({ lease }) => begun.get(leaseKey(lease)) ?? lost)
  }, maxPages)

  const write = coalesce<Settle, "written" | typeof lost>(async (settles) => {
    const held = await settleAttempts(pool, settles)
    return settles.map(({ lease }) => (held.has(leaseKey(lease)) ? "written" : lost))
  }, maxSettlements)

  return {
    begin,
    async settle(lease, kind, settlement) {
      try {
        return await write(toSettle(lease, kind, settlement))
      } catch (error) {
        if (failureOf(error) !== "data") throw error
        // What the run gave us is in no form that the database takes; that it ran still counts.
        const { result: _, ...bare } = settlement
        return write(toSettle(lease, kind, bare))
      }
    },
  }
}
