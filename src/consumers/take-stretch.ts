import type { Pool } from "pg"
import type { LoggedEvent } from "../core/envelope.ts"
import type { Log } from "../core/log.ts"
import type { TakenLease } from "../store/consumer-leases.ts"
import type { BegunEvent } from "../store/deliveries.ts"
import type { EntityOrder } from "./entity-order.ts"
import type { Lane } from "./lane.ts"
import { lost, type Ledger } from "./ledger.ts"
import type { Stretch } from "./log-window.ts"
import { orderKey } from "./order-key.ts"
import { createTellGap } from "./tell-gap.ts"
import { wantedBy } from "./wanted-by.ts"
import type { Work } from "./work.ts"
import type { AnyDefinition } from "./worker-services.ts"

export interface TakeStretchOptions {
  pool: Pool
  lease: TakenLease
  definition: AnyDefinition
  /** Whether what comes is recorded as skipped, and not run. */
  skips: boolean
  /** Events begun by one statement. */
  pageSize: number
  ledger: Ledger
  lane: Pick<Lane<Work>, "push" | "room">
  order: EntityOrder | undefined
  /** Puts back what has to wait for an earlier event of its entity. */
  hold: (work: Work) => void
  /** Up to where the cursor is known to be written. */
  written: () => number
  /** Told how far the partition has come, and whether that is written. */
  onMoved: (upTo: number, isWritten: boolean) => void
  /** The page was refused; rejects where its partition is to start over. */
  onRefused: () => Promise<void>
  log: Log
  /** Aborted when nothing new is to begin. */
  signal: AbortSignal
  /** Aborted when what runs is waited for no longer. */
  stop: AbortSignal
}

/** Makes a function that begins what a partition wants of a stretch of the log, page by page as there is room. */
export function createTakeStretch(options: TakeStretchOptions): (stretch: Stretch) => Promise<void> {
  const { lease, definition, skips, pageSize, ledger, lane, order, hold, signal } = options
  const { written, onMoved, onRefused } = options
  const wants = wantedBy(definition, lease)
  const tellGap = createTellGap(options)

  async function begin(mine: readonly LoggedEvent[], upTo: number): Promise<void> {
    const events = mine.map(toBegin)
    const begun = await ledger.begin({ lease, upTo, written: written(), events })
    if (begun === lost) return onRefused()
    onMoved(upTo, true)
    const fresh = mine
      .filter(({ id }) => begun.has(id))
      .map((event) => ({ event, attempt: 1, replayId: null }))
    // An earlier event of their entity may have failed while they were written.
    lane.push(fresh.filter(({ event }) => !isBlocked(event)))
    fresh.filter(({ event }) => isBlocked(event)).forEach(hold)
    for (const [index, event] of mine.entries()) {
      if (events[index]?.status === "held") await order?.held({ event, replayId: null })
    }
  }

  function isBlocked(event: LoggedEvent): boolean {
    return order?.isBlocked({ event, replayId: null }) === true
  }

  function toBegin(event: LoggedEvent): BegunEvent {
    const { id: eventId, tenant, position: at } = event
    if (skips) return { eventId, tenant, position: at, status: "skipped" }
    // What runs has its key too: left so by a holder that ended, it is to be seen before what waits behind it.
    const key = order === undefined ? undefined : orderKey(event)
    const status = isBlocked(event) ? "held" : "running"
    return { eventId, tenant, position: at, status, orderKey: key }
  }

  return async ({ items, upTo }) => {
    let mine: LoggedEvent[] = []
    for (const item of items) {
      if ("to" in item) {
        if (mine.length > 0) await begin(mine, item.from - 1) // telling may write the cursor behind them
        mine = []
        if (!signal.aborted) await tellGap(item)
      } else if (wants(item)) mine.push(item)
      if (mine.length === pageSize && !("to" in item)) {
        await begin(mine, item.position)
        mine = []
        await lane.room()
      }
      if (signal.aborted) return
    }
    if (mine.length > 0) await begin(mine, upTo)
    else onMoved(upTo, false)
  }
}
