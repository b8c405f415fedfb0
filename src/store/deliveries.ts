import type { ConsumerKind } from "./consumers.ts"
import { followsOn, type Lease } from "./consumer-leases.ts"
import type { Db } from "./database.ts"
import { jsonRow, jsonRows } from "./json-rows.ts"

// PostgreSQL 18.4 ends with a segmentation fault where a statement that prunes partitions row by row
// also finds a row it locks or updates changed by another transaction (the recheck overwrites the state
// of the pruning). So no statement here that locks or updates joins a partitioned table by its
// partition key itself: the key is compared with an array, by which nothing is pruned.

/** An event that a partition has read and will run, and the position to which that brings its cursor. */
export interface BegunEvent {
  eventId: string
  tenant: string
  position: number
  /** `held` waits behind an earlier event, `skipped` is not run; neither counts as an attempt (`running`). */
  status?: "running" | "held" | "skipped"
  /** What it waits behind, or others behind it, where order is kept. */
  orderKey?: string | undefined
}

/** A page of a partition: what it will run of the log up to `upTo`. */
export interface Begin {
  lease: Lease
  upTo: number
  /** Up to where the cursor is known to have been written. */
  written: number
  events: readonly BegunEvent[]
}

/** A delivery whose attempt has begun, or was begun by a holder that is gone. */
export interface Attempt {
  eventId: string
  /** Attempts begun, this one included. */
  attempts: number
  /** The replay that hands it on; null for what came by itself. */
  replayId: string | null
}

/** An attempt that a holder before us began and never settled. */
export interface InterruptedAttempt extends Attempt {
  /** How many attempts up to this one, without a break, were made with nothing else beside them. */
  alone: number
}

/** What is kept of a request that was sent for an event. */
export interface AttemptRecord {
  sentAt: Date
  statusCode: number | null
  durationMs: number
  response: string | null
  secretIds: readonly string[]
}

/** What came of an attempt. */
export interface Settlement {
  eventId: string
  status: "delivered" | "retrying" | "held" | "dead" | "skipped"
  attempts: number
  /** When it is due again, where `status` is `retrying`. */
  nextAttemptAt?: Date
  /** What the run answered, as JSON takes it. */
  result?: unknown
  errorCode?: string
  error?: string
  finishedAt: Date
  /** What later events wait behind, of one that is retried or held. */
  orderKey?: string
  /** The replay under which the attempt was made, if any: it settles no attempt of another. */
  replayId?: string
  record?: AttemptRecord
}

/** A settlement as a row for `settleAttempts`, and the lease under which its attempt ran. */
export interface Settle {
  lease: Lease
  row: string
  /** Whether the row holds an attempt to be recorded. */
  recorded?: boolean
}

/** A settlement as a row; throws where its result is not JSON. */
export function settlementRow(lease: Lease, kind: ConsumerKind, settlement: Settlement): string {
  const { subscriptionId, partition } = lease
  const { eventId, record, ...outcome } = settlement
  return jsonRow({ subscriptionId, partition, kind, ids: [eventId], ...outcome, ...record })
}

/** A settlement for `settleAttempts`; throws where its result is not JSON. */
export function toSettle(lease: Lease, kind: ConsumerKind, settlement: Settlement): Settle {
  const row = settlementRow(lease, kind, settlement)
  return { lease, row, recorded: settlement.record !== undefined }
}

/** `subscription/partition`: names a partition within a process. */
export function leaseKey({ subscriptionId, partition }: Omit<Lease, "fence">): string {
  return `${subscriptionId}/${partition}`
}

/**
 * Counts a first attempt at every event of these pages and moves the cursors behind them, all at once:
 * from then on the rows, not the cursors, say what is left to do. Answers by `leaseKey` which events
 * are new to their consumer and to be run; a partition that was taken over, or whose cursor is not where its holder
 * wrote it last, is missing from the answer, and nothing was written for it. At most one page a partition.
 */
export async function beginAttempts(
  db: Db,
  pages: readonly Begin[],
  now: Date,
): Promise<Map<string, Set<string>>> {
  const rows = pages.flatMap(({ lease, events }) => events.map((event) => ({ lease, event })))
  const result = await db.query<{ subscription_id: string; partition: number; begun: string[] | null }>({
    name: "begin_attempts",
    text: `with held as (
        select p.subscription_id, p.partition, l.position
        from subscription_partitions p
        join unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::bigint[], $13::bigint[])
          as l (subscription_id, partition, fence, position, written) using (subscription_id, partition)
        where p.fence = l.fence and ${followsOn}
        order by 1, 2 for no key update of p),
      moved as (
        update subscription_partitions p set position = greatest(p.position, held.position)
        from held where p.subscription_id = held.subscription_id and p.partition = held.partition),
      begun as (
        insert into event_deliveries
          (event_id, subscription_id, tenant, partition, position, status, order_key, attempts, first_attempt_at,
            finished_at)
        select r.event_id, r.subscription_id, r.tenant, r.partition, r.position, r.status, r.order_key,
          case when r.status = 'running' then 1 else 0 end, case when r.status = 'running' then $10::timestamptz end,
          case when r.status = 'skipped' then $10 end
        from unnest($5::uuid[], $6::smallint[], $7::uuid[], $8::text[], $9::bigint[], $11::text[], $12::text[])
          as r (subscription_id, partition, event_id, tenant, position, status, order_key)
        join held using (subscription_id, partition)
        on conflict (event_id, subscription_id) do nothing
        returning event_id, subscription_id, partition, status)
      select held.subscription_id, held.partition,
        array_agg(begun.event_id) filter (where begun.status = 'running') as begun
      from held left join begun using (subscription_id, partition)
      group by 1, 2`,
    values: [
      pages.map((page) => page.lease.subscriptionId),
      pages.map((page) => page.lease.partition),
      pages.map((page) => page.lease.fence),
      pages.map((page) => page.upTo),
      rows.map((row) => row.lease.subscriptionId),
      rows.map((row) => row.lease.partition),
      rows.map((row) => row.event.eventId),
      rows.map((row) => row.event.tenant),
      rows.map((row) => row.event.position),
      now,
      rows.map((row) => row.event.status ?? "running"),
      rows.map((row) => row.event.orderKey ?? null),
      pages.map((page) => page.written),
    ],
  })
  return new Map(
    result.rows.map((row) => [
      leaseKey({ subscriptionId: row.subscription_id, partition: row.partition }),
      new Set(row.begun),
    ]),
  )
}

/**
 * Writes what came of attempts, dead letters included. May be repeated: what is settled stays as it
 * is. Answers the `leaseKey`s still held; under the others nothing was written.
 */
export async function settleAttempts(db: Db, settles: readonly Settle[]): Promise<Set<string>> {
  const leases = [...new Map(settles.map(({ lease }) => [leaseKey(lease), lease])).values()]
  const recorded = settles.some((settle) => settle.recorded === true)
  const { rows } = await db.query<{ subscriptionId: string; partition: number }>({
    name: recorded ? "settle_recorded_attempts" : "settle_attempts",
    text: settleStatement(recorded),
    values: [
      leases.map((lease) => lease.subscriptionId),
      leases.map((lease) => lease.partition),
      leases.map((lease) => lease.fence),
      jsonRows(settles.map(({ row }) => row)),
    ],
  })
  return new Set(rows.map(leaseKey))
}

function settleStatement(recorded: boolean): string {
  return `with held as (
      select p.subscription_id, p.partition
      from subscription_partitions p
      join unnest($1::uuid[], $2::smallint[], $3::bigint[]) as l (subscription_id, partition, fence)
        using (subscription_id, partition)
      where p.fence = l.fence
      order by 1, 2 for share of p),
    settled as (
      update event_deliveries d
      set status = r.status, attempts = r.attempts, next_attempt_at = r."nextAttemptAt",
        last_error = coalesce(r.error, case when r.status in ('retrying', 'held') then d.last_error end),
        result = r.result, order_key = r."orderKey",
        finished_at = case when r.status not in ('retrying', 'held') then r."finishedAt" end
      from jsonb_to_recordset($4::jsonb) as r ("subscriptionId" uuid, partition smallint, kind text,
          ids uuid[], status text, attempts integer, "nextAttemptAt" timestamptz, result jsonb,
          "errorCode" text, error text, "finishedAt" timestamptz, "orderKey" text, "sentAt" timestamptz,
          "statusCode" smallint, "durationMs" integer, response text, "secretIds" uuid[], "replayId" uuid)
      join held on held.subscription_id = r."subscriptionId" and held.partition = r.partition
      where d.event_id = any(r.ids) and d.subscription_id = r."subscriptionId"
        and d.finished_at is null and d.next_attempt_at is null -- it is running; no index is to tempt here
        and d.replay_id is not distinct from r."replayId"
      returning d.tenant, d.event_id, d.subscription_id, r.*),
    buried as (
      insert into dead_letters (tenant, kind, event_id, subscription_id, attempts, error_code, error)
      select tenant, kind, event_id, subscription_id, attempts, "errorCode", error
      from settled where status = 'dead'
      on conflict do nothing)${recorded ? `, ${recordAttempts}` : ""}
    select subscription_id as "subscriptionId", partition from held`
}

const recordAttempts = `recorded as (
  insert into webhook_attempts (subscription_id, event_id, tenant, attempt, sent_at, status_code, duration_ms,
    response, error, secret_ids, replay_id)
  select subscription_id, event_id, tenant, attempts, "sentAt", "statusCode", "durationMs", response, error,
    "secretIds", "replayId"
  from settled where "sentAt" is not null
  on conflict do nothing)`

/** What a holder before us left running; those with the fewest attempts come first. */
export async function interruptedAttempts(db: Db, lease: Lease): Promise<InterruptedAttempt[]> {
  const { rows } = await db.query<InterruptedAttempt>(
    `select event_id as "eventId", attempts, alone, replay_id as "replayId" from event_deliveries
     where subscription_id = $1 and partition = $2 and status = 'running'
     order by attempts, position`,
    [lease.subscriptionId, lease.partition],
  )
  return rows
}

/** Counts another attempt, one made alone, at a running delivery; false where the partition was taken over. */
export async function repeatAttempt(db: Db, lease: Lease, eventId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `with held as (
       select from subscription_partitions
       where subscription_id = $1 and partition = $2 and fence = $3 for share)
     update event_deliveries set attempts = attempts + 1, alone = alone + 1
     where event_id = $4 and subscription_id = $1 and status = 'running' and exists (select from held)`,
    [lease.subscriptionId, lease.partition, lease.fence, eventId],
  )
  return rowCount === 1
}

/**
 * Counts another attempt at what is due by `now` and no replay's, in the order of the log; empty also where
 * the lease is lost.
 */
export async function takeDue(db: Db, lease: Lease, now: Date, limit: number): Promise<Attempt[]> {
  const { rows } = await db.query<Attempt & { position: number }>(
    `with held as (
       select from subscription_partitions
       where subscription_id = $1 and partition = $2 and fence = $3 for share),
     due as (
       select event_id from event_deliveries
       where subscription_id = $1 and partition = $2 and not replayed and status = 'retrying'
         and next_attempt_at <= $4
       order by position limit $5)
     update event_deliveries d set status = 'running', attempts = attempts + 1, alone = 0, next_attempt_at = null
     where d.event_id = any(array(select event_id from due)) and d.subscription_id = $1
       and exists (select from held)
     returning d.event_id as "eventId", d.attempts, d.position, d.replay_id as "replayId"`,
    [lease.subscriptionId, lease.partition, lease.fence, now, limit],
  )
  return rows.toSorted((a, b) => a.position - b.position)
}
