import type { Lease } from "./consumer-leases.ts"
import type { Db } from "./database.ts"
import type { Attempt } from "./deliveries.ts"

/**
 * What a replay has made due waits while the replay is paused, but for what was tried again by hand after its
 * outcome had been counted: a condition on `event_deliveries d`.
 */
export const isLetOut = `(d.replay_tallied or not exists (
  select from replays r where r.id = d.replay_id and r.status in ('paused', 'cancelled')))`

/**
 * Counts another attempt at what replays have made due by `now`, in the order of the log, as much as `maxBytes` of
 * bodies hold, or one event; empty also where the lease is lost.
 */
export async function takeReplayed(
  db: Db,
  lease: Lease,
  now: Date,
  { limit, maxBytes }: { limit: number; maxBytes: number },
): Promise<Attempt[]> {
  const { subscriptionId, partition, fence } = lease
  // Apart from the update, for the reason told in deliveries.ts.
  const { rows: due } = await db.query<{ eventId: string; bytes: number }>(
    `select d.event_id as "eventId", coalesce(l.bytes, 0) as bytes
     from (select * from event_deliveries d
       where d.subscription_id = $1 and d.partition = $2 and d.replayed and d.status = 'retrying'
         and d.next_attempt_at <= $3 and ${isLetOut}
       order by d.position limit $4) d
     left join event_log l on l.event_id = d.event_id order by d.position`,
    [subscriptionId, partition, now, limit],
  )
  let bytes = 0
  const page = due.filter((row, index) => (bytes += row.bytes) <= maxBytes || index === 0)
  if (page.length === 0) return []
  const { rows } = await db.query<Attempt & { position: number }>(
    `with held as (
       select from subscription_partitions
       where subscription_id = $1 and partition = $2 and fence = $3 for share)
     update event_deliveries d set status = 'running', attempts = attempts + 1, alone = 0, next_attempt_at = null,
       first_attempt_at = coalesce(first_attempt_at, $5)
     where d.event_id = any($4::uuid[]) and d.subscription_id = $1 and d.partition = $2 and d.replayed
       and d.status = 'retrying' and ${isLetOut} and exists (select from held)
     returning d.event_id as "eventId", d.attempts, d.position, d.replay_id as "replayId"`,
    [subscriptionId, partition, fence, page.map(({ eventId }) => eventId), now],
  )
  return rows.toSorted((a, b) => a.position - b.position)
}

/** When something of a partition is due next; null where nothing is. */
export interface NextDue {
  /** Of what came by itself and is tried again. */
  dueAt: Date | null
  /** Of what replays have made due. */
  replayedAt: Date | null
}

/** Looks up when something of a partition is due next. */
export async function nextDue(db: Db, lease: Lease): Promise<NextDue> {
  const { rows } = await db.query<NextDue>(
    `select ${earliest("not d.replayed")} as "dueAt", ${earliest(`d.replayed and ${isLetOut}`)} as "replayedAt"`,
    [lease.subscriptionId, lease.partition],
  )
  return rows[0] ?? { dueAt: null, replayedAt: null }
}

function earliest(which: string): string {
  return `(select d.next_attempt_at from event_deliveries d
    where d.subscription_id = $1 and d.partition = $2 and ${which} and d.status in ('running', 'retrying')
      and d.next_attempt_at is not null
    order by d.next_attempt_at limit 1)`
}
