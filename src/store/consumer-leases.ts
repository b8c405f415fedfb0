import type { Db } from "./database.ts"

/** The right to work on one partition of a consumer, good for as long as nobody holds a higher fence. */
export interface Lease {
  subscriptionId: string
  partition: number
  fence: number
}

/** A lease just taken. */
export interface TakenLease extends Lease {
  /** Up to where the partition was read. */
  position: number
  /** Into how many the consumer is dealt; the fence rises when that changes. */
  partitions: number
}

/** Up to where a partition was read. */
export interface Cursor extends Lease {
  position: number
  /** Up to where it is known to have been written: where the database has less, that was set back. */
  written: number
}

/** One partition as every member sees it. */
export interface PartitionState {
  subscriptionId: string
  partition: number
  fence: number
  /** The member that holds it and is alive; null where it is free to take. */
  owner: string | null
  /** False while the consumer is paused or disabled: then nobody should hold it. */
  active: boolean
  /** The earliest moment at which a delivery is due again; only for partitions of the member that asks. */
  dueAt: Date | null
}

/** A member that is alive, and the consumers that it is ready to run. */
export interface Member {
  id: string
  subscriptions: string[]
}

/** Shows that a member is alive for the next `leaseMs`, and what it is ready to run. */
export async function renewMember(
  db: Db,
  member: string,
  subscriptions: readonly string[],
  leaseMs: number,
): Promise<void> {
  await db.query({
    name: "renew_member",
    text: `insert into consumer_members (id, subscriptions, expires_at)
      values ($1, $2::uuid[], clock_timestamp() + $3 * interval '1 millisecond')
      on conflict (id) do update set subscriptions = excluded.subscriptions, expires_at = excluded.expires_at`,
    values: [member, subscriptions, leaseMs],
  })
}

/** Ends a member, and with it every lease that it still holds. */
export async function removeMember(db: Db, member: string): Promise<void> {
  await db.query("delete from consumer_members where id = $1", [member])
}

/** Forgets members that have been dead for a minute, and notes that these consumers are in use. */
export async function tidyMembers(db: Db, subscriptions: readonly string[]): Promise<void> {
  await db.query("delete from consumer_members where expires_at < clock_timestamp() - interval '1 minute'")
  await db.query(
    `update stream_subscriptions set last_seen_at = now()
     where id in (select id from stream_subscriptions
       where id = any($1::uuid[]) and last_seen_at < now() - interval '30 seconds' for update skip locked)`,
    [subscriptions],
  )
}

/** The members alive that run any of these consumers. */
export async function liveMembers(db: Db, subscriptions: readonly string[]): Promise<Member[]> {
  const { rows } = await db.query<Member>({
    name: "live_members",
    text: `select id, subscriptions from consumer_members
      where expires_at > clock_timestamp() and subscriptions && $1::uuid[]`,
    values: [subscriptions],
  })
  return rows
}

/** Every partition of these consumers. */
export async function partitionStates(
  db: Db,
  member: string,
  subscriptions: readonly string[],
): Promise<PartitionState[]> {
  const { rows } = await db.query<PartitionState>({
    name: "partition_states",
    text: `select p.subscription_id as "subscriptionId", p.partition, p.fence, m.id as owner,
        s.status in ('active', 'skipping') as active,
        case when p.lease_owner = $1 then least(${earliest("not d.replayed")}, ${earliest("d.replayed")}) end
          as "dueAt"
      from subscription_partitions p
      join stream_subscriptions s on s.id = p.subscription_id
      left join consumer_members m on m.id = p.lease_owner and m.expires_at > clock_timestamp()
      where p.subscription_id = any($2::uuid[])
      order by p.subscription_id, p.partition`,
    values: [member, subscriptions],
  })
  return rows
}

/** When the next delivery of a partition is due, of those that a replay made or of the others: each has an index. */
function earliest(which: string): string {
  return `(select d.next_attempt_at from event_deliveries d
    where d.subscription_id = p.subscription_id and d.partition = p.partition and ${which}
      and d.status in ('running', 'retrying') and d.next_attempt_at is not null
    order by d.next_attempt_at limit 1)`
}

/**
 * Takes those of the wanted partitions that no living member holds and whose fence is still the one
 * seen, so that of two members that saw the same partition free only one gets it.
 */
export async function takeLeases(db: Db, member: string, wanted: readonly Lease[]): Promise<TakenLease[]> {
  const { rows } = await db.query<TakenLease>(
    `with free as (
       select p.subscription_id, p.partition, s.partitions
       from subscription_partitions p
       join unnest($2::uuid[], $3::smallint[], $4::bigint[]) as w (subscription_id, partition, fence)
         using (subscription_id, partition)
       join stream_subscriptions s on s.id = p.subscription_id
       where p.fence = w.fence and not exists (select from consumer_members m
         where m.id = p.lease_owner and m.id <> $1 and m.expires_at > clock_timestamp())
       order by 1, 2 for no key update of p skip locked)
     update subscription_partitions p set lease_owner = $1, fence = p.fence + 1
     from free where p.subscription_id = free.subscription_id and p.partition = free.partition
     returning p.subscription_id as "subscriptionId", p.partition, p.fence, p.position,
       free.partitions`,
    [
      member,
      wanted.map((lease) => lease.subscriptionId),
      wanted.map((lease) => lease.partition),
      wanted.map((lease) => lease.fence),
    ],
  )
  return rows
}

/** Gives a partition back, unless it was taken over already. */
export async function releaseLease(db: Db, lease: Lease): Promise<void> {
  await db.query(
    `update subscription_partitions set lease_owner = null
     where subscription_id = $1 and partition = $2 and fence = $3`,
    [lease.subscriptionId, lease.partition, lease.fence],
  )
}

/** The position of a partition; undefined where the lease was taken over. */
export async function leasedPosition(db: Db, lease: Lease): Promise<number | undefined> {
  const { rows } = await db.query<{ position: number }>(
    `select position from subscription_partitions
     where subscription_id = $1 and partition = $2 and fence = $3`,
    [lease.subscriptionId, lease.partition, lease.fence],
  )
  return rows[0]?.position
}

/** Takes a cursor back to the end of the log and answers both places; undefined where it is not beyond, or taken over. */
export async function returnToLog(
  db: Db,
  lease: Lease,
): Promise<{ from: number; position: number } | undefined> {
  const { rows } = await db.query<{ from: number; position: number }>(
    `with beyond as (
       select p.position as "from", h.position from subscription_partitions p cross join event_log_head h
       where p.subscription_id = $1 and p.partition = $2 and p.fence = $3 and p.position > h.position
       for no key update of p)
     update subscription_partitions p set position = beyond.position
     from beyond where p.subscription_id = $1 and p.partition = $2
     returning beyond."from", p.position`,
    [lease.subscriptionId, lease.partition, lease.fence],
  )
  return rows[0]
}

/**
 * A condition in SQL: the database has the cursor that the holder of `p` wrote last, and the log to where it is to
 * move. Without it, a holder would take the cursor of a database that was set back beyond what came in since.
 */
export const followsOn = `p.position >= l.written and l.position <= (select position from event_log_head)`

/**
 * Moves cursors over events that their consumers do not want, and answers the `leaseKey`s of those moved; those taken
 * over stay where they are, as do those of a database that was set back.
 */
export async function moveCursors(db: Db, cursors: readonly Cursor[]): Promise<Set<string>> {
  const { rows } = await db.query<{ key: string }>(
    `with held as (
       select p.subscription_id, p.partition, l.position
       from subscription_partitions p
       join unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[])
         as l (subscription_id, partition, fence, position, written) using (subscription_id, partition)
       where p.fence = l.fence and ${followsOn}
       order by 1, 2 for no key update of p)
     update subscription_partitions p set position = greatest(p.position, held.position)
     from held where p.subscription_id = held.subscription_id and p.partition = held.partition
     returning p.subscription_id || '/' || p.partition as key`,
    [
      cursors.map((cursor) => cursor.subscriptionId),
      cursors.map((cursor) => cursor.partition),
      cursors.map((cursor) => cursor.fence),
      cursors.map((cursor) => cursor.position),
      cursors.map((cursor) => cursor.written),
    ],
  )
  return new Set(rows.map(({ key }) => key))
}
