import type { Filter } from "../core/filter.ts"
import type { ReplayChoice, ReplayGap, ReplayStatus } from "../core/replay.ts"
import type { Db } from "./database.ts"

// A step is a transaction that holds its replay's row, so that two processes never take the same step, and
// one that dies halfway leaves nothing of it.

/** A replay whose next step is due. */
export interface DueReplay extends Omit<ReplayChoice, "filter"> {
  id: string
  tenant: string
  subscriptionId: string
  filter: Filter
  entities: readonly string[] | null
  status: ReplayStatus
  position: number
  upTo: number
  ratePerSecond: number | null
  maxOutstanding: number
  pacedUntil: Date | null
}

/** Takes a replay whose step is due and that nobody else has in hand; undefined where there is none. */
export async function takeDueReplay(db: Db): Promise<DueReplay | undefined> {
  // A process that is halted in the midst of a step would keep its replay for ever.
  await db.query("set local idle_in_transaction_session_timeout = '30s'")
  const { rows } = await db.query<DueReplay>(
    `select id, tenant, subscription_id as "subscriptionId", filter, since, until, entities,
       correlation_id as "correlationId", deliveries, status, position, up_to as "upTo",
       rate_per_second as "ratePerSecond", max_outstanding as "maxOutstanding",
       paced_until as "pacedUntil"
     from replays where (status = 'running' or settling) and step_at <= now()
     order by step_at limit 1 for update skip locked`,
  )
  return rows[0]
}

/** Puts a step off that failed, so that those of other replays are taken before it is tried again. */
export async function postponeStep(db: Db, id: string, ms: number): Promise<void> {
  await db.query(
    "update replays set step_at = clock_timestamp() + $2 * interval '1 millisecond' where id = $1",
    [id, ms],
  )
}

/** Milliseconds until the next step of any replay is due; null where there is none. */
export async function nextStepIn(db: Db): Promise<number | null> {
  const { rows } = await db.query<{ ms: number | null }>(
    `select (extract(epoch from min(step_at) - now()) * 1000)::float8 as ms
     from replays where status = 'running' or settling`,
  )
  return rows[0]?.ms ?? null
}

/** What came of deliveries since they were last counted. */
export interface Tally {
  delivered: number
  failed: number
  skipped: number
}

/** Counts what has come to its end, each once; what is delivered settles its dead letter. */
export async function tallyReplay(
  db: Db,
  { id, subscriptionId }: Pick<DueReplay, "id" | "subscriptionId">,
): Promise<Tally> {
  const { rows } = await db.query<Tally>(
    `with done as (
       update event_deliveries set replay_tallied = true, replay_before = null
       where replay_id = $1 and not replay_tallied and status in ('delivered', 'dead', 'skipped')
       returning event_id, status),
     settled as (
       update dead_letters l set status = 'retried', settled_at = now()
       where l.subscription_id = $2 and l.status = 'open'
         and l.event_id = any(array(select event_id from done where status = 'delivered')))
     select count(*) filter (where status = 'delivered') as delivered,
       count(*) filter (where status = 'dead') as failed,
       count(*) filter (where status = 'skipped') as skipped
     from done`,
    [id, subscriptionId],
  )
  return rows[0] ?? { delivered: 0, failed: 0, skipped: 0 }
}

/** How many events a replay has handed on that are not settled, and at how many of them no attempt was made yet. */
export async function outstandingOf(db: Db, id: string): Promise<{ all: number; untried: number }> {
  const { rows } = await db.query<{ all: number; untried: number }>(
    `select count(*) as all, count(*) filter (where attempts = 0) as untried
     from event_deliveries where replay_id = $1 and not replay_tallied`,
    [id],
  )
  return rows[0] ?? { all: 0, untried: 0 }
}

/** An event to be handed on. */
export interface QueuedEvent {
  eventId: string
  position: number
  partition: number
  /** What others wait behind, where the consumer keeps order. */
  orderKey: string | null
  dueAt: Date
}

/**
 * Makes events due at a consumer, and answers how many. Left alone is what is on its way there by itself: what is
 * not settled, and what the cursor of its partition has not reached.
 */
export async function queueReplayed(
  db: Db,
  replay: Pick<DueReplay, "id" | "tenant" | "subscriptionId">,
  events: readonly QueuedEvent[],
): Promise<number> {
  const { rowCount } = await db.query(
    `insert into event_deliveries as d (event_id, subscription_id, tenant, partition, position, status, attempts,
       next_attempt_at, order_key, replay_id, replayed, replay_tallied)
     select e.event_id, $1, $2, e.partition, e.position, 'retrying', 0, e.due_at, e.order_key, $3, true, false
     from unnest($4::uuid[], $5::bigint[], $6::smallint[], $7::timestamptz[], $8::text[])
       as e (event_id, position, partition, due_at, order_key)
     join subscription_partitions p on p.subscription_id = $1 and p.partition = e.partition
     where p.position >= e.position or exists (
       select from event_deliveries known where known.event_id = e.event_id and known.subscription_id = $1)
     order by e.event_id
     on conflict (event_id, subscription_id) do update set
       status = 'retrying', attempts = 0, alone = 0, next_attempt_at = excluded.next_attempt_at,
       finished_at = null, order_key = excluded.order_key, partition = excluded.partition, replay_id = excluded.replay_id,
       replayed = true, replay_tallied = false,
       replay_before = jsonb_build_object('status', d.status, 'attempts', d.attempts, 'finishedAt', d.finished_at)
     where d.status in ('delivered', 'dead', 'skipped') and d.replay_tallied is not false`,
    [
      replay.subscriptionId,
      replay.tenant,
      replay.id,
      events.map(({ eventId }) => eventId),
      events.map(({ position }) => position),
      events.map(({ partition }) => partition),
      events.map(({ dueAt }) => dueAt),
      events.map(({ orderKey }) => orderKey),
    ],
  )
  return rowCount ?? 0
}

/** What a step has come to. */
export interface StepOutcome extends Tally {
  position: number
  matched: number
  underWay: number
  withdrawn: number
  /** What retention had dropped before it was looked at. */
  gap: ReplayGap | null
  /** Whether something that was handed on is not settled. */
  settling: boolean
  isCompleted: boolean
  pacedUntil: Date | null
  /** Milliseconds until the next step. */
  nextMs: number
}

/** Writes how far a replay has come. */
export async function saveStep(db: Db, id: string, outcome: StepOutcome): Promise<void> {
  await db.query(
    `update replays set position = $2, matched = matched + $3, under_way = under_way + $4,
       delivered = delivered + $5, failed = failed + $6, skipped = skipped + $7, withdrawn = withdrawn + $8,
       settling = $9, paced_until = $10, step_at = clock_timestamp() + $11 * interval '1 millisecond',
       status = case when $12 then 'completed' else status end,
       finished_at = case when $12 then now() else finished_at end,
       gone_from = coalesce(gone_from, $13), gone_to = coalesce($14, gone_to)
     where id = $1`,
    [
      id,
      outcome.position,
      outcome.matched,
      outcome.underWay,
      outcome.delivered,
      outcome.failed,
      outcome.skipped,
      outcome.withdrawn,
      outcome.settling,
      outcome.pacedUntil,
      outcome.nextMs,
      outcome.isCompleted,
      outcome.gap?.from ?? null,
      outcome.gap?.to ?? null,
    ],
  )
}

/**
 * Takes back what a replay has handed on and no attempt runs at, and answers how many: what the consumer had
 * before is as it was, what it had never been given is gone, and what has failed is kept as skipped.
 */
export async function withdrawReplayed(db: Db, id: string): Promise<number> {
  const waiting = "replay_id = $1 and not replay_tallied and status in ('retrying', 'held')"
  const restored = await db.query(
    `update event_deliveries set status = replay_before ->> 'status',
       attempts = (replay_before ->> 'attempts')::integer,
       finished_at = (replay_before ->> 'finishedAt')::timestamptz, next_attempt_at = null, order_key = null,
       replay_id = null, replayed = false, replay_tallied = null, replay_before = null
     where ${waiting} and replay_before is not null`,
    [id],
  )
  const removed = await db.query(`delete from event_deliveries where ${waiting} and attempts = 0`, [id])
  const kept = await db.query(
    `update event_deliveries set status = 'skipped', finished_at = now(), next_attempt_at = null,
       order_key = null, replay_tallied = true where ${waiting}`,
    [id],
  )
  return (restored.rowCount ?? 0) + (removed.rowCount ?? 0) + (kept.rowCount ?? 0)
}
