import type { QueryConfig } from "pg"
import type { Priority } from "../core/envelope.ts"
import type { Db } from "./database.ts"

/** One job: events of one priority that are to be processed together. */
export interface ProcessingBatch {
  priority: Priority
  eventIds: string[]
}

/**
 * Enqueues the processing of events within the transaction open on `db`. Whether it resolves or throws,
 * it has nothing left to send by then.
 */
export type Enqueue = (db: Db, batches: ProcessingBatch[]) => Promise<void>

/** The statements that enqueue batches, for a transaction that sends them beside others of its own. */
export type JobStatements = (batches: readonly ProcessingBatch[]) => Promise<QueryConfig[]>
