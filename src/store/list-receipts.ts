import type { Db } from "./database.ts"

/** What became of a request to a source. */
export const receiptOutcomes = ["accepted", "duplicate", "conflict", "rejected", "unavailable"] as const
export type ReceiptOutcome = (typeof receiptOutcomes)[number]

/** A request to a source, or several alike, as the view `receipts` has it. */
export interface ReceiptRow {
  id: string
  outcome: ReceiptOutcome
  code: string | null
  reason: string | null
  deliveryId: string | null
  eventId: string | null
  secretId: string | null
  headers: Record<string, string>
  bodyBytes: number | null
  requests: number
  receivedAt: Date
}

/** Which receipts of one source to list. */
export interface ReceiptQuery {
  platform: string
  source: string
  outcome?: ReceiptOutcome | undefined
  /** None that came before. */
  since?: Date | undefined
  /** Id of the last one seen; the page begins with the one before it. */
  before?: string | undefined
  limit: number
}

const kept = `select id, outcome, code, reason, delivery_id as "deliveryId", event_id as "eventId",
    secret_id as "secretId", headers, body_bytes as "bodyBytes", requests, received_at as "receivedAt"
  from source_receipts`
const accepted = `select id, 'accepted', null, null, delivery_id, id, secret_id, headers, octet_length(raw), 1,
    received_at
  from events`

/**
 * Receipts of a source, newest first; `db` decides whose: see `readAs`. They are those of the view
 * `receipts`, each outcome in the order of its index: the planner carries no limit into that view, and
 * one conflict among a million duplicates would be looked for in all of them.
 */
export async function listReceipts(db: Db, query: ReceiptQuery): Promise<ReceiptRow[]> {
  const { platform, source, limit, outcome, before, since } = query
  const values: unknown[] = [platform, source, limit]
  const conditions = ["platform = $1", "source = $2"]
  const where = (condition: (parameter: string) => string, value: unknown): string => {
    values.push(value)
    return condition(`$${values.length}`)
  }
  if (before !== undefined) conditions.push(where((p) => `id < ${p}::uuid`, before))
  // Ids begin with the time of arrival: they are what the index is ordered by.
  if (since !== undefined) conditions.push(where((p) => `id >= uuidv7_lower_bound(${p}::timestamptz)`, since))
  const part = (select: string, ...more: readonly string[]) =>
    `(${select} where ${[...conditions, ...more].join(" and ")} order by id desc limit $3)`
  const parts = (outcome === undefined ? receiptOutcomes : [outcome]).map((one) =>
    one === "accepted"
      ? part(accepted, "not backfilled")
      : part(
          kept,
          where((p) => `outcome = ${p}`, one),
        ),
  )
  const { rows } = await db.query<ReceiptRow>(
    // The first part names the columns, of whichever are asked for.
    `select * from (${[`(${kept} limit 0)`, ...parts].join(" union all ")}) r order by id desc limit $3`,
    values,
  )
  return rows
}
