import { SignalboxError } from "../core/errors.ts"
import type { WebhookRow, WebhookSettings, WebhookStatus } from "../core/subscription.ts"
import { addPartitions, type StartFrom } from "./consumers.ts"
import type { Db } from "./database.ts"
import { repartition } from "./repartition.ts"

const columns = `s.id, s.tenant, s.name, s.stream, s.filter, s.partitions, s.status, s.created_at as "createdAt",
  w.url, w.format, w.payload, w.ordered, w.concurrency, w.rate_per_second::float8 as "ratePerSecond",
  w.timeout_ms as "timeoutMs", w.retry_schedule as "retrySchedule", w.disabled_reason as "disabledReason",
  w.disabled_at as "disabledAt", w.updated_at as "updatedAt"`
const table = "stream_subscriptions s join webhook_subscriptions w using (id)"

/** Makes a subscription with its cursors; undefined where the tenant has a consumer of that name. */
export async function insertWebhook(
  db: Db,
  { tenant, name, from, ...settings }: WebhookSettings & { tenant: string; name: string; from: StartFrom },
): Promise<WebhookRow | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `insert into stream_subscriptions (tenant, name, kind, stream, filter, partitions)
     values ($1, $2, 'webhook', $3, $4, $5) on conflict (tenant, name) do nothing returning id`,
    [tenant, name, settings.stream, JSON.stringify(settings.filter), settings.partitions],
  )
  const id = rows[0]?.id
  if (id === undefined) return undefined
  await addPartitions(db, id, { partitions: settings.partitions, from })
  await db.query(
    `insert into webhook_subscriptions (id, tenant, url, format, payload, ordered, concurrency,
       rate_per_second, timeout_ms, retry_schedule)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [id, tenant, ...ownColumns(settings)],
  )
  return findWebhook(db, tenant, id)
}

/**
 * Writes the settings of a subscription anew; the caller holds it by `lockWebhook`, in a `dealingTransaction` where
 * the partitions may be others.
 */
export async function updateWebhook(
  db: Db,
  { id, partitions: before }: WebhookRow,
  settings: WebhookSettings,
  beside: Db,
): Promise<void> {
  await db.query("update stream_subscriptions set stream = $2, filter = $3 where id = $1", [
    id,
    settings.stream,
    JSON.stringify(settings.filter),
  ])
  await db.query(
    `update webhook_subscriptions set url = $2, format = $3, payload = $4, ordered = $5, concurrency = $6,
       rate_per_second = $7, timeout_ms = $8, retry_schedule = $9, updated_at = now() where id = $1`,
    [id, ...ownColumns(settings)],
  )
  if (settings.partitions !== before) await repartition(db, beside, id, settings.partitions)
}

function ownColumns(settings: WebhookSettings): unknown[] {
  return [
    settings.url,
    settings.format,
    JSON.stringify(settings.payload),
    settings.ordered,
    settings.concurrency,
    settings.ratePerSecond,
    settings.timeoutMs,
    settings.retrySchedule,
  ]
}

/** A subscription of a tenant by its id or its name; undefined where there is none. */
export async function findWebhook(db: Db, tenant: string, idOrName: string): Promise<WebhookRow | undefined> {
  const { rows } = await db.query<WebhookRow>(
    `select ${columns} from ${table} where s.tenant = $1 and (s.id::text = $2 or s.name = $2)
     order by s.id::text = $2 desc limit 1`,
    [tenant, idOrName],
  )
  return rows[0]
}

/** As `findWebhook`, held until the end of the transaction. Throws `not_found`. */
export async function lockWebhook(db: Db, tenant: string, idOrName: string): Promise<WebhookRow> {
  const { rows } = await db.query<WebhookRow>(
    `select ${columns} from ${table} where s.tenant = $1 and (s.id::text = $2 or s.name = $2)
     order by s.id::text = $2 desc limit 1 for update`,
    [tenant, idOrName],
  )
  if (rows[0] !== undefined) return rows[0]
  throw new SignalboxError("not_found", `there is no webhook subscription ${JSON.stringify(idOrName)}`)
}

/** Subscriptions of a tenant by name. */
export async function listWebhooks(
  db: Db,
  tenant: string,
  { limit, after }: { limit: number; after: string | null },
): Promise<WebhookRow[]> {
  const { rows } = await db.query<WebhookRow>(
    `select ${columns} from ${table} where s.tenant = $1 and ($3::text is null or s.name > $3)
     order by s.name limit $2`,
    [tenant, limit, after],
  )
  return rows
}

/** Sets whether a subscription runs; a word on why belongs to `disabled` alone. */
export async function setWebhookStatus(
  db: Db,
  id: string,
  status: WebhookStatus,
  reason: string | null = null,
): Promise<void> {
  await db.query("update stream_subscriptions set status = $2 where id = $1", [id, status])
  await db.query(
    `update webhook_subscriptions
     set disabled_reason = $2, disabled_at = case when $2::text is not null then now() end where id = $1`,
    [id, reason],
  )
}

/** Disables a subscription that is at work at that address; false where it is not any more. */
export async function disableWebhook(
  db: Db,
  { id, url }: Pick<WebhookRow, "id" | "url">,
  reason: string,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update stream_subscriptions s set status = 'disabled' from webhook_subscriptions w
     where s.id = $1 and s.status = 'active' and w.id = s.id and w.url = $2`,
    [id, url],
  )
  if (rowCount !== 1) return false
  await setWebhookStatus(db, id, "disabled", reason)
  return true
}

/** Rises with every change to any subscription or secret, in the order of commit. */
export async function webhookVersion(db: Db): Promise<number> {
  const { rows } = await db.query<{ version: number }>("select version from webhook_version")
  return rows[0]?.version ?? 0
}

/** Every subscription there is that runs or skips. */
export async function workingWebhooks(db: Db): Promise<WebhookRow[]> {
  const { rows } = await db.query<WebhookRow>(
    `select ${columns} from ${table} where s.status in ('active', 'skipping')`,
  )
  return rows
}

/** A subscription of whatever tenant; undefined where there is none. */
export async function webhookById(db: Db, id: string): Promise<WebhookRow | undefined> {
  const { rows } = await db.query<WebhookRow>(`select ${columns} from ${table} where s.id = $1`, [id])
  return rows[0]
}
