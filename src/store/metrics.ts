import type { Db } from "./database.ts"
import { jsonRow, jsonRows } from "./json-rows.ts"

/** Events of one tenant, platform and type in one minute. */
export interface EventCount {
  /** Start of the minute. */
  bucket: Date
  tenant: string
  platform: string
  type: string
  processed: number
  failed: number
  /** Received to processed, in milliseconds: the sum over events, and the longest. */
  total_ms: number
  max_ms: number
}

/**
 * The statement that adds counts up, given the parameter that holds them. Rows are locked in the
 * order of their keys, so that two transactions that add to the same ones cannot wait for each other.
 * `after` names what must have been evaluated before, as an item of FROM with its comma.
 */
export function metricsText(parameter: string, after = ""): string {
  return `insert into event_metrics as m (bucket, tenant, platform, type, processed, failed, total_ms, max_ms)
    select x.bucket, x.tenant, x.platform, x.type, x.processed, x.failed, x.total_ms, x.max_ms
    from ${after} jsonb_to_recordset(${parameter}::jsonb) as x (bucket timestamptz, tenant text,
      platform text, type text, processed bigint, failed bigint, total_ms float8, max_ms float8)
    order by 1, 2, 3, 4
    on conflict (bucket, tenant, platform, type) do update set
      processed = m.processed + excluded.processed, failed = m.failed + excluded.failed,
      total_ms = m.total_ms + excluded.total_ms, max_ms = greatest(m.max_ms, excluded.max_ms)`
}

/** Adds counts to what is there; each key may stand in `counts` once. */
export async function addCounts(db: Db, counts: readonly EventCount[]): Promise<void> {
  await db.query({ name: "add_counts", text: metricsText("$1"), values: [jsonRows(counts.map(jsonRow))] })
}

/** Counts by minute from `since` up to but not including `until`, oldest first. */
export async function readCounts(
  db: Db,
  { since, until, tenant }: { since: Date; until: Date; tenant?: string },
): Promise<EventCount[]> {
  const { rows } = await db.query<EventCount>(
    `select bucket, tenant, platform, type, processed, failed, total_ms, max_ms from event_metrics
     where bucket >= $1 and bucket < $2 and ($3::text is null or tenant = $3)
     order by bucket, tenant, platform, type`,
    [since.toISOString(), until.toISOString(), tenant ?? null],
  )
  return rows
}
