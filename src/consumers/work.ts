import type { LoggedEvent } from "../core/envelope.ts"
import type { Settlement } from "../store/deliveries.ts"
import { orderKey, type Keyed } from "./order-key.ts"

/** An event to run, and which attempt at it that is. */
export interface Work {
  event: LoggedEvent
  attempt: number
  /** The replay that hands the event on; null for one that came by itself. */
  replayId: string | null
}

/** What keeps work in order where failures hold up what follows: its entity, within each replay apart. */
export function workKey({ event, replayId }: { event: Keyed; replayId: string | null }): string {
  return replayId === null ? orderKey(event) : `replay ${replayId} ${orderKey(event)}`
}

/** A settlement that settles nothing but an attempt under the same replay, or under none. */
export function settledUnder(replayId: string | null, settlement: Settlement): Settlement {
  return replayId === null ? settlement : { ...settlement, replayId }
}
