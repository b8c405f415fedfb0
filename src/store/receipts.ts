import type { Db } from "./database.ts"
import { jsonRow, jsonRows } from "./json-rows.ts"

/** What became of a request that made no event of its own; accepted ones are their events. */
export interface NewReceipt {
  /** UUIDv7 of the arrival; a second row of one id is not written. */
  id: string
  tenant: string
  platform: string
  source: string
  outcome: "duplicate" | "conflict" | "rejected" | "unavailable"
  /** Error code of a refusal, and the sentence that its sender was told. */
  code?: string
  reason?: string
  deliveryId?: string
  /** The event that was there before. */
  eventId?: string
  secretId?: string | undefined
  /** The kept headers of a request that was believed. */
  headers?: Readonly<Record<string, string>>
  bodyBytes?: number | undefined
  /** How many requests it stands for (1). */
  requests?: number
  receivedAt: Date
}

/** Writes receipts in one statement, and answers the ids of those that were not there yet. */
export async function insertReceipts(db: Db, receipts: readonly NewReceipt[]): Promise<Set<string>> {
  if (receipts.length === 0) return new Set()
  const { rows } = await db.query<{ id: string }>({
    name: "insert_receipts",
    text: `insert into source_receipts (id, tenant, platform, source, outcome, code, reason, delivery_id, event_id,
        secret_id, headers, body_bytes, requests, received_at)
      select id, tenant, platform, source, outcome, code, reason, "deliveryId", "eventId", "secretId",
        coalesce(headers, '{}'), "bodyBytes", coalesce(requests, 1), "receivedAt"
      from jsonb_to_recordset($1::jsonb) as receipt (id uuid, tenant text, platform text, source text,
        outcome text, code text, reason text, "deliveryId" text, "eventId" uuid, "secretId" text,
        headers jsonb, "bodyBytes" integer, requests integer, "receivedAt" timestamptz)
      on conflict do nothing returning id`,
    values: [jsonRows(receipts.map(jsonRow))],
  })
  return new Set(rows.map((row) => row.id))
}
