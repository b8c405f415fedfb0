import { SignalboxError } from "../core/errors.ts"
import type { Database } from "../store/database.ts"
import { logBounds, logPositionBefore } from "../store/log-pages.ts"
import type { Feed } from "./feed.ts"
import type { StreamRequest } from "./stream-request.ts"

/** Where a stream begins. */
export interface StartingPoint {
  /** The position behind which it does. */
  start: number
  /** What lies up to here is past the stream's own retention; where that is beyond `start`, the stream begins with the gap. */
  floor: number
}

/**
 * Where a stream with this retention begins. A position that retention has passed is taken as it is: the
 * stream then begins with the gap. Throws 409 for one that the log has not reached.
 */
export async function startingPoint(
  database: Database,
  feed: Feed,
  after: StreamRequest["after"],
  retentionSeconds: number | null,
): Promise<StartingPoint> {
  if (after === "latest") return { start: await feed.head(), floor: 0 }
  const floor = retentionSeconds === null ? 0 : await logPositionBefore(database.work, retentionSeconds)
  if (after === "earliest") {
    return { start: Math.max(floor, (await logBounds(database.work)).first - 1), floor }
  }
  const head = await feed.head()
  if (after <= head) return { start: after, floor }
  throw new SignalboxError(
    "conflict",
    `position ${after} is beyond the end of the log, which is at ${head}: the cursor belongs to another ` +
      `database, or to a time before this one was restored; start anew with after=earliest or after=latest`,
  )
}
