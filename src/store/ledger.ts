import type { Db } from "./database.ts"

/** How complete a source is known to be: a row of the view source_ledger, which says what each means. */
export interface LedgerRow {
  sourceId: string
  tenant: string
  platform: string
  source: string
  summary: string
  completeFrom: Date | null
  completeThrough: Date | null
  checkedAt: Date | null
  ranAt: Date | null
  nextAt: Date | null
  problem: string | null
  progress: string | null
  wanted: boolean
  running: boolean
  calls: number
  repaired: number
  open: number
  lost: number
}

const columns = `source_id as "sourceId", tenant, platform, source, summary, complete_from as "completeFrom",
  complete_through as "completeThrough", checked_at as "checkedAt", ran_at as "ranAt", next_at as "nextAt",
  problem, progress, wanted, running, calls, repaired, open, lost`

/** A page of ledgers by platform and name, of whatever tenants `db` may see. */
export async function listLedgers(
  db: Db,
  { after, limit }: { after: { platform: string; source: string } | null; limit: number },
): Promise<LedgerRow[]> {
  const { rows } = await db.query<LedgerRow>(
    `select ${columns} from source_ledger
     where $1::text is null or (platform, source) > ($1, $2)
     order by platform, source limit $3`,
    [after?.platform ?? null, after?.source ?? null, limit],
  )
  return rows
}

/** The ledger of one source; undefined where there is none in sight. */
export async function findLedger(db: Db, platform: string, source: string): Promise<LedgerRow | undefined> {
  const { rows } = await db.query<LedgerRow>(
    `select ${columns} from source_ledger where platform = $1 and source = $2`,
    [platform, source],
  )
  return rows[0]
}

/** States of gaps: `open`, and `requested` once it was asked for again, until it is `repaired` or `lost`. */
export const gapStates = ["open", "requested", "repaired", "lost"] as const

/** A hole in what came from a source. */
export interface GapRow {
  id: string
  kind: "delivery" | "record" | "outage"
  key: string
  reason: string
  startedAt: Date
  endedAt: Date | null
  requests: number
  state: (typeof gapStates)[number]
  note: string | null
  attempts: number
  settledAt: Date | null
  eventId: string | null
}

/** A page of a source's gaps, newest first. */
export async function listGaps(
  db: Db,
  sourceId: string,
  query: {
    states: readonly GapRow["state"][] | null
    before: { startedAt: Date; id: string } | null
    limit: number
  },
): Promise<GapRow[]> {
  const { states, before, limit } = query
  const { rows } = await db.query<GapRow>(
    `select id, kind, key, reason, started_at as "startedAt", ended_at as "endedAt", requests, state, note,
       attempts, settled_at as "settledAt", event_id as "eventId"
     from source_gaps
     where source_id = $1 and ($2::text[] is null or state = any($2))
       and ($3::timestamptz is null or (started_at, id) < ($3, $4::uuid))
     order by started_at desc, id desc limit $5`,
    [sourceId, states, before?.startedAt ?? null, before?.id ?? null, limit],
  )
  return rows
}
