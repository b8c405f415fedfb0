import type { Db } from "./database.ts"
import { hintAtWebhooks } from "./webhook-changes.ts"

/** How a receiver is spared: milliseconds for which nothing is sent, and between probes after that. */
export interface WebhookRest {
  subscriptionId: string
  restMs: number
  intervalMs: number
}

/**
 * Writes what this process has found of receivers at these addresses, and hints at it. Of two rests the longer
 * one holds; that all is well again (0 and 0) ends both. Of an address that is another one by now, nothing.
 */
export async function noteRests(db: Db, rests: readonly (WebhookRest & { url: string })[]): Promise<void> {
  await db.query(
    `insert into webhook_health as h (subscription_id, tenant, rests_until, probe_interval_ms)
     select w.id, w.tenant,
       case when r."restMs" > 0 then now() + r."restMs" * interval '1 millisecond' end, r."intervalMs"
     from jsonb_to_recordset($1::jsonb) as r ("subscriptionId" uuid, url text, "restMs" float8, "intervalMs" integer)
     join webhook_subscriptions w on w.id = r."subscriptionId" and w.url = r.url
     order by w.id
     on conflict (subscription_id) do update set
       rests_until = case when excluded.rests_until is not null or excluded.probe_interval_ms > 0
         then greatest(h.rests_until, excluded.rests_until) end,
       probe_interval_ms = case when excluded.rests_until is not null or excluded.probe_interval_ms > 0
         then greatest(h.probe_interval_ms, excluded.probe_interval_ms) else 0 end`,
    [JSON.stringify(rests)],
  )
  await hintAtWebhooks(db)
}

/** Every receiver that is spared now, as of all processes. */
export async function webhookRests(db: Db): Promise<Map<string, WebhookRest>> {
  const { rows } = await db.query<WebhookRest>(
    `select subscription_id as "subscriptionId", probe_interval_ms as "intervalMs",
       greatest(0, coalesce(extract(epoch from rests_until - now()) * 1000, 0))::float8 as "restMs"
     from webhook_health where probe_interval_ms > 0 or rests_until > now()`,
  )
  return new Map(rows.map((row) => [row.subscriptionId, row]))
}
