import { SignalboxError } from "../core/errors.ts"
import type { Database } from "../store/database.ts"
import { logBounds } from "../store/log-pages.ts"
import type { Feed } from "./feed.ts"
import type { StreamRequest } from "./stream-request.ts"

/**
 * The position behind which a stream begins. A position that retention has passed is taken as it is:
 * the stream then begins with the gap. Throws 409 for one that the log has not reached.
 */
export async function startingPoint(
  database: Database,
  feed: Feed,
  after: StreamRequest["after"],
): Promise<number> {
  if (after === "earliest") return (await logBounds(database.work)).first - 1
  const head = await feed.head()
  if (after === "latest") return head
  if (after <= head) return after
  throw new SignalboxError(
    "conflict",
    `position ${after} is beyond the end of the log, which is at ${head}: the cursor belongs to another ` +
      `database, or to a time before this one was restored; start anew with after=earliest or after=latest`,
  )
}
