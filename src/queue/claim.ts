import type { Priority } from "../core/envelope.ts"

/** What a job carries. */
export interface JobData {
  eventIds: string[]
}

/** One attempt at a job; `retryCount` names the attempt, and a later one has a higher count. */
export interface ClaimedJob {
  id: string
  /** How often the job was claimed before: above 0, some worker failed or died with it. */
  retryCount: number
  eventIds: readonly string[]
}

/** Jobs of one queue that this worker holds, until it completes them or is found dead. */
export interface Claim {
  priority: Priority
  jobs: readonly ClaimedJob[]
  /** Aborted when a job is lost to another worker, and when this process must stop now. */
  signal: AbortSignal
}

/** A job is no longer held by this attempt; whatever was done for it must be rolled back. */
export class ClaimLost extends Error {
  override readonly name = "ClaimLost"

  constructor() {
    super("a job was taken over by another worker")
  }
}
