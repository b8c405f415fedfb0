import { setTimeout as sleep } from "node:timers/promises"
import type { Log } from "../core/log.ts"
import type { Lease } from "../store/consumer-leases.ts"
import type { ConsumerKind } from "../store/consumers.ts"
import type { Settlement } from "../store/deliveries.ts"
import { lost, type Ledger } from "./ledger.ts"

export interface WriterOptions {
  lease: Lease
  kind: ConsumerKind
  ledger: Ledger
  log: Log
  /** Aborted when there is no more use in trying. */
  signal: AbortSignal
  onLost: () => void
}

const longestPauseMs = 5_000

/**
 * Makes a function that writes a settlement, however long the database is away: what has run need not
 * run again. It never rejects; under a lost lease it writes nothing and says so to `onLost`.
 */
export function createWriter(options: WriterOptions): (settlement: Settlement) => Promise<void> {
  const { lease, kind, ledger, log, signal, onLost } = options
  return async (settlement) => {
    for (let pauseMs = 100; !signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      try {
        if ((await ledger.settle(lease, kind, settlement)) === lost) onLost()
        return
      } catch (error) {
        log.warn({ err: error, event: settlement.eventId }, "what came of a run could not be written yet")
        await sleep(pauseMs, undefined, { signal }).catch(() => {})
      }
    }
  }
}
