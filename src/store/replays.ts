import type { Replay, ReplayChoice, ReplayConsumer, ReplayGap, ReplayStatus } from "../core/replay.ts"
import type { Db } from "./database.ts"

/** A consumer that a replay may go to, with what it takes. */
export interface ReplayTarget extends ReplayConsumer {
  /** Whose events it takes; `*` for every tenant's. */
  tenant: string
  stream: string
  filter: unknown
  partitions: number
  /** Whether an event that fails holds up the later ones of its entity. */
  ordered: boolean
}

const targetColumns = `s.id, s.name, s.kind, s.status, s.tenant, s.stream, s.filter, s.partitions,
  coalesce((select ordered from webhook_subscriptions w where w.id = s.id), false) as ordered`

/** A consumer of a tenant by its id or its name, or, where asked for, of those that take every tenant's events. */
export async function findReplayTarget(
  db: Db,
  tenant: string,
  idOrName: string,
  everyTenant: boolean,
): Promise<ReplayTarget | undefined> {
  const { rows } = await db.query<ReplayTarget>(
    `select ${targetColumns} from stream_subscriptions s
     where (s.tenant = $1 or ($3 and s.tenant = '*')) and (s.id::text = $2 or s.name = $2)
     order by s.id::text = $2 desc, s.tenant = $1 desc limit 1`,
    [tenant, idOrName, everyTenant],
  )
  return rows[0]
}

/**
 * The consumer of a replay, which keeps its partitions until the transaction ends; undefined where it is gone, or
 * somebody is changing it: whoever deletes it waits for its replays, and is not to be waited for.
 */
export async function holdReplayTarget(db: Db, id: string): Promise<ReplayTarget | undefined> {
  const { rows } = await db.query<ReplayTarget>(
    `select ${targetColumns} from stream_subscriptions s where s.id = $1 for share of s skip locked`,
    [id],
  )
  return rows[0]
}

/** A replay to be made. */
export interface NewReplay extends ReplayChoice {
  id: string
  tenant: string
  subscriptionId: string
  entities: readonly string[] | null
  after: number
  upTo: number
  gap: ReplayGap | null
  ratePerSecond: number | null
  maxOutstanding: number
  estimate: number | null
  estimateExact: boolean
  createdBy: string
}

/** Writes a new replay, unless the tenant has `most` that are not over; false then. */
export async function insertReplay(db: Db, replay: NewReplay, most: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into replays (id, tenant, subscription_id, filter, since, until, entities, correlation_id, deliveries,
       after, up_to, position, rate_per_second, max_outstanding, estimate, estimate_exact, created_by,
       gone_from, gone_to)
     select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $10, $12, $13, $14, $15, $16, $18, $19
     where (select count(*) from replays where tenant = $2 and status in ('running', 'paused')) < $17`,
    [
      replay.id,
      replay.tenant,
      replay.subscriptionId,
      JSON.stringify(replay.filter),
      replay.since,
      replay.until,
      replay.entities,
      replay.correlationId,
      replay.deliveries,
      replay.after,
      replay.upTo,
      replay.ratePerSecond,
      replay.maxOutstanding,
      replay.estimate,
      replay.estimateExact,
      replay.createdBy,
      most,
      replay.gap?.from ?? null,
      replay.gap?.to ?? null,
    ],
  )
  return rowCount === 1
}

const columns = `r.id, r.tenant, r.filter, r.since, r.until, r.entities, r.correlation_id as "correlationId",
  r.deliveries, r.after, r.up_to as "upTo", r.rate_per_second as "ratePerSecond",
  r.max_outstanding as "maxOutstanding", r.status, r.position, r.estimate,
  r.estimate_exact as "estimateExact", r.matched, r.under_way as "underWay", r.delivered, r.failed, r.skipped,
  r.withdrawn,
  case when r.gone_from is not null then jsonb_build_object('from', r.gone_from, 'to', r.gone_to) end as gap,
  r.created_at as "createdAt", r.finished_at as "finishedAt",
  jsonb_build_object('id', s.id, 'name', s.name, 'kind', s.kind, 'status', s.status) as consumer,
  (select count(*) from event_deliveries d where d.replay_id = r.id and not d.replay_tallied) as outstanding`
const table = "replays r join stream_subscriptions s on s.id = r.subscription_id"

/** One replay of a tenant; undefined where there is none. */
export async function findReplay(db: Db, tenant: string, id: string): Promise<Replay | undefined> {
  const { rows } = await db.query<Replay>(
    `select ${columns} from ${table} where r.tenant = $1 and r.id = $2`,
    [tenant, id],
  )
  return rows[0]
}

/** Replays of a tenant, the newest first. */
export async function listReplays(
  db: Db,
  tenant: string,
  { status, before, limit }: { status: ReplayStatus | undefined; before: string | undefined; limit: number },
): Promise<Replay[]> {
  const { rows } = await db.query<Replay>(
    `select ${columns} from ${table}
     where r.tenant = $1 and ($2::text is null or r.status = $2) and ($3::uuid is null or r.id < $3)
     order by r.id desc limit $4`,
    [tenant, status ?? null, before ?? null, limit],
  )
  return rows
}

/** The status of a replay, which stays until the transaction ends; undefined where the tenant has none of this id. */
export async function lockReplay(db: Db, tenant: string, id: string): Promise<ReplayStatus | undefined> {
  const { rows } = await db.query<{ status: ReplayStatus }>(
    "select status from replays where tenant = $1 and id = $2 for update",
    [tenant, id],
  )
  return rows[0]?.status
}

/** Sets the status of a replay that is held by `lockReplay`; its next step is due at once. */
export async function setReplayStatus(db: Db, id: string, status: ReplayStatus): Promise<void> {
  await db.query(
    `update replays set status = $2, step_at = now(), paced_until = null,
       finished_at = case when $2 in ('cancelled', 'completed') then now() end where id = $1`,
    [id, status],
  )
}
