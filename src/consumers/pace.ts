import type { LaneOptions } from "./lane.ts"
import type { AnyDefinition } from "./worker-services.ts"

/** How much of a partition is under way at the same time. */
export interface Pace extends Pick<
  LaneOptions<never, never>,
  "concurrency" | "lowWater" | "laterLowWater" | "maxBytes" | "maxUnsettled"
> {
  /** Events begun by one statement. */
  pageSize: number
  /** Events that replays have made due, taken up by one statement. */
  replayPageSize: number
  /** Whether what follows is read while what was read is begun. */
  readsAhead: boolean
}

const megabyte = 1 << 20

/** A consumer runs a few at a time; a delivery waits for the network, and its gate says how many may. */
export function paceOf(definition: AnyDefinition): Pace {
  if ("attempt" in definition) {
    return {
      concurrency: 256,
      pageSize: 256,
      replayPageSize: 64,
      // Enough to start while the next are begun. Who holds no more than that stays close to the others in the
      // log, and what one of them reads there serves them all.
      lowWater: Math.min(Math.max(8 * definition.width, 32), 256),
      laterLowWater: 32,
      maxBytes: 4 * megabyte,
      maxUnsettled: 1024,
      readsAhead: true,
    }
  }
  const { concurrency = 1 } = definition
  return {
    concurrency,
    pageSize: 64,
    replayPageSize: 64,
    lowWater: 32,
    laterLowWater: 16,
    maxBytes: 8 * megabyte,
    maxUnsettled: 256,
    readsAhead: false,
  }
}
