import type { Db } from "./database.ts"

/** What a process has seen of a receiver since it wrote last. */
export interface HealthNote {
  subscriptionId: string
  /** Where it was seen: the subscription may lead elsewhere by now. */
  url: string
  lastSuccessAt: Date | null
  lastFailureAt: Date | null
  /** Of the failures after the last success seen, or of all where none was. */
  failingSince: Date | null
  failures: number
  lastError: string | null
}

/** How a receiver has answered, as of all processes. */
export interface Health {
  subscriptionId: string
  failingSince: Date | null
  failures: number
  lastSuccessAt: Date | null
  lastFailureAt: Date | null
  lastError: string | null
}

const columns = `subscription_id as "subscriptionId", failing_since as "failingSince", failures,
  last_success_at as "lastSuccessAt", last_failure_at as "lastFailureAt", last_error as "lastError"`

/**
 * Adds what was seen to what is known, and answers that; of subscriptions that are gone, or have another
 * address by now, nothing. A success ends what failed before it, whoever saw that.
 */
export async function noteHealth(db: Db, notes: readonly HealthNote[]): Promise<Health[]> {
  const { rows } = await db.query<Health>(
    `insert into webhook_health as h
       (subscription_id, tenant, failing_since, failures, last_success_at, last_failure_at, last_error)
     select w.id, w.tenant, n."failingSince", n.failures, n."lastSuccessAt", n."lastFailureAt", n."lastError"
     from jsonb_to_recordset($1::jsonb) as n ("subscriptionId" uuid, url text, "failingSince" timestamptz,
       failures integer, "lastSuccessAt" timestamptz, "lastFailureAt" timestamptz, "lastError" text)
     join webhook_subscriptions w on w.id = n."subscriptionId" and w.url = n.url
     order by w.id
     on conflict (subscription_id) do update set
       failing_since = case when excluded.last_success_at is not null then excluded.failing_since
         else coalesce(h.failing_since, excluded.failing_since) end,
       failures = excluded.failures + case when excluded.last_success_at is null then h.failures else 0 end,
       last_success_at = greatest(h.last_success_at, excluded.last_success_at),
       last_failure_at = greatest(h.last_failure_at, excluded.last_failure_at),
       last_error = coalesce(excluded.last_error, h.last_error)
     returning ${columns}`,
    [JSON.stringify(notes)],
  )
  return rows
}

/** The health of these subscriptions; those that nothing was sent to are missing. */
export async function webhookHealth(
  db: Db,
  subscriptionIds: readonly string[],
): Promise<Map<string, Health>> {
  const { rows } = await db.query<Health>(
    `select ${columns} from webhook_health where subscription_id = any($1)`,
    [subscriptionIds],
  )
  return new Map(rows.map((row) => [row.subscriptionId, row]))
}

/** Forgets that a receiver has failed: it is given another chance, or is another one. */
export async function forgiveWebhook(db: Db, subscriptionId: string): Promise<void> {
  await db.query(
    `update webhook_health set failing_since = null, failures = 0, rests_until = null, probe_interval_ms = 0
     where subscription_id = $1`,
    [subscriptionId],
  )
}
