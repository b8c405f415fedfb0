import { setTimeout as sleep } from "node:timers/promises"
import { SignalboxError } from "../core/errors.ts"
import { queueNames } from "../queue/queues.ts"
import { databaseTime, hasJobsBefore } from "../store/queue-jobs.ts"
import type { Run } from "./run.ts"

/**
 * Waits until all that is in by now has been processed: only then the log tells what events were
 * about. Throws `unavailable` where that takes too long.
 */
export async function untilProcessed({ pool, options, signal }: Run): Promise<void> {
  const at = await databaseTime(pool)
  const end = performance.now() + options.processingMs
  for (let waitMs = 10; await hasJobsBefore(pool, queueNames, at); waitMs = Math.min(waitMs * 2, 500)) {
    if (performance.now() > end) {
      throw new SignalboxError("unavailable", "events that came in still wait to be processed")
    }
    await sleep(waitMs, undefined, { signal })
  }
}
