import type { Db } from "../store/database.ts"
import { settleDeadLetter } from "../store/dead-letters.ts"
import { reopenOutbox } from "../store/outbox.ts"

/**
 * Has a published event that became a dead letter handed over again, within the transaction open on
 * `db`. Answers whether there was such a dead letter, still open, and its row.
 */
export async function retryPublished(db: Db, id: string): Promise<boolean> {
  const letter = await settleDeadLetter(db, id, "retried", "outbox")
  return letter !== undefined && (await reopenOutbox(db, letter.eventId))
}
