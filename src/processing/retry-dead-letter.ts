import type { Enqueue } from "../store/enqueue.ts"
import type { Db } from "../store/database.ts"
import { settleDeadLetter } from "../store/dead-letters.ts"
import { findEventHead, resetAttempts } from "../store/processing.ts"

/**
 * Gives an event that became a dead letter of processing its attempts anew, within the transaction
 * open on `db`. Answers whether there was such a dead letter, still open, and its event.
 */
export async function retryDeadLetter(db: Db, enqueue: Enqueue, id: string): Promise<boolean> {
  const letter = await settleDeadLetter(db, id, "retried", "processing")
  if (letter === undefined) return false
  const event = await findEventHead(db, letter.eventId)
  if (event === undefined) return false
  await resetAttempts(db, event.id)
  await enqueue(db, [{ priority: event.priority, eventIds: [event.id] }])
  return true
}
