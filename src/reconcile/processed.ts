import { setTimeout as sleep } from "node:timers/promises"
import { SignalboxError } from "../core/errors.ts"
import { queueNames } from "../queue/queues.ts"
import { jobsOfSource, unfinishedJobs } from "../store/queue-jobs.ts"
import type { Run } from "./run.ts"

/**
 * Waits until all that is in of the source by now has been processed: only then the log tells what its
 * events were about. What takes long elsewhere is not waited for. Throws `unavailable` where that takes
 * too long.
 */
export async function untilProcessed({ pool, key, options, signal }: Run): Promise<void> {
  const end = performance.now() + options.processingMs
  let jobs = await jobsOfSource(pool, queueNames, key)
  for (let waitMs = 10; jobs.length > 0; waitMs = Math.min(waitMs * 2, 500)) {
    if (performance.now() > end) {
      throw new SignalboxError("unavailable", "events that came in still wait to be processed")
    }
    await sleep(waitMs, undefined, { signal })
    jobs = await unfinishedJobs(pool, queueNames, jobs)
  }
}
