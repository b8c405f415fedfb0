import { createHash } from "node:crypto"
import type { Db } from "./database.ts"
import type { NewEvent } from "./events.ts"

/** A delivery that another event tells of already, with another body. */
export interface Conflict {
  delivery: NewEvent
  /** The event that tells of it. */
  eventId: string
}

/**
 * Keeps deliveries that an event with another body tells of, one row for each distinct body:
 * the id is made of the event's id and the body's hash, so a repeat of the conflict finds its row.
 */
export async function insertConflicts(db: Db, conflicts: readonly Conflict[]): Promise<void> {
  const rows = conflicts.map((conflict) => ({ id: conflictId(conflict), ...conflict }))
  rows.sort((a, b) => (a.id < b.id ? -1 : 1)) // one order for all, or two transactions could wait in a circle
  for (const { id, delivery, eventId } of rows) {
    await db.query(
      `insert into event_conflicts (id, tenant, platform, source, delivery_id, event_id, headers,
          content_type, raw, received_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing`,
      [
        id,
        delivery.tenant,
        delivery.platform,
        delivery.source,
        delivery.deliveryId,
        eventId,
        JSON.stringify(delivery.headers),
        delivery.contentType,
        delivery.raw,
        delivery.receivedAt.toISOString(),
      ],
    )
  }
}

/** A UUIDv8 (RFC 9562, section 5.8): free bits, here those of a SHA-256. */
function conflictId({ delivery, eventId }: Conflict): string {
  const digest = createHash("sha256").update(eventId).update(delivery.bodyHash).digest("hex")
  const parts = [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `8${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ]
  return parts.join("-")
}
