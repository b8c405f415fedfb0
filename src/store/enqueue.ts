import type { Priority } from "../core/envelope.ts"
import type { Db } from "./database.ts"

/** One job: events of one priority that are to be processed together. */
export interface ProcessingBatch {
  priority: Priority
  eventIds: string[]
}

/**
 * Enqueues the processing of events within the transaction open on `db`. All of its statements are
 * answered when it resolves.
 */
export type Enqueue = (db: Db, batches: ProcessingBatch[]) => Promise<void>
