import type { Pool } from "pg"
import { transaction } from "./database.ts"
import { noteOutages, type Outage } from "./outages.ts"
import { insertReceipts, type NewReceipt } from "./receipts.ts"

/** The receipt of a request that was refused, or of several alike. */
export interface Refusal extends NewReceipt {
  outcome: "rejected" | "unavailable"
  requests: number
  /** When the last of them came. */
  lastAt: Date
  /** What kept the event from being stored, where it was turned away. */
  cause: Outage["reason"]
}

/**
 * Writes receipts of refusals, and counts those turned away with 503 into the outage of their source:
 * each once, however often the same are written.
 */
export function writeRefusals(pool: Pool, refusals: readonly Refusal[]): Promise<void> {
  return transaction(pool, async (db) => {
    const written = await insertReceipts(db, refusals)
    await noteOutages(db, outagesOf(refusals.filter(({ id }) => written.has(id))))
  })
}

function outagesOf(refusals: readonly Refusal[]): Outage[] {
  const outages = new Map<string, Outage>()
  for (const { outcome, platform, source, cause, receivedAt, lastAt, requests } of refusals) {
    if (outcome !== "unavailable") continue
    const path = `${platform}/${source}`
    const outage = outages.get(path)
    if (outage === undefined) {
      outages.set(path, { platform, source, reason: cause, from: receivedAt, to: lastAt, requests })
    } else {
      if (receivedAt < outage.from) outage.from = receivedAt
      if (lastAt > outage.to) outage.to = lastAt
      outage.requests += requests
    }
  }
  return [...outages.values()]
}
