import type { Queue as BossQueue } from "pg-boss"
import { priorities, type Priority } from "../core/envelope.ts"

/** The queue of a priority. */
export const queueOf: Readonly<Record<Priority, string>> = {
  critical: "events-critical",
  high: "events-high",
  normal: "events-normal",
  low: "events-low",
}

/** All queues, most urgent first. */
export const queueNames: readonly string[] = priorities.map((priority) => queueOf[priority])

/**
 * Jobs are never given up and never thrown away unfinished: what must not be tried for ever is an
 * event, and those are counted one by one in processing. So retries are as good as unlimited and
 * come at once; whoever fails for a reason that lasts waits before it says so.
 */
export const queueOptions: Omit<BossQueue, "name"> = {
  policy: "standard",
  notify: true,
  retryLimit: 1_000_000_000,
  retryDelay: 0,
  retryBackoff: false,
  heartbeatSeconds: 10, // a worker that is gone, or stuck, loses its jobs after this
  expireInSeconds: 600,
  retentionSeconds: 10 * 365 * 86_400,
  deleteAfterSeconds: 60,
}
