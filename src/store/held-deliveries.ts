import type { Lease } from "./consumer-leases.ts"
import type { Db } from "./database.ts"

// Where order is kept by entity, an event that failed is `retrying` with an order key, and the later
// events of that key are `held` until it has come to its end.

/** An order key with events that wait behind one that failed. */
export interface BlockedKey {
  key: string
  /** The first of them, where that is to be tried again; null where it is held, and waits for nothing. */
  head: string | null
}

/** Every order key of a partition at which events wait. */
export async function blockedKeys(db: Db, lease: Lease): Promise<BlockedKey[]> {
  const { rows } = await db.query<BlockedKey>(
    `select order_key as key,
       case when (array_agg(status order by position))[1] = 'retrying'
         then (array_agg(event_id order by position))[1] end as head
     from event_deliveries
     where subscription_id = $1 and order_key is not null and status in ('retrying', 'held') and partition = $2
     group by 1`,
    [lease.subscriptionId, lease.partition],
  )
  return rows
}

/** What a release came to. */
export interface Release {
  /** How many are due now that were held. */
  released: number
  /** Whether others of the key were due already. */
  waiting: boolean
}

/** Makes some events of a key that were held due at once, in the order of the log; none where the lease is lost. */
export async function releaseHeld(
  db: Db,
  lease: Lease,
  key: string,
  now: Date,
  limit: number,
): Promise<Release> {
  const { rows } = await db.query<Release>(
    `with held as (
       select from subscription_partitions
       where subscription_id = $1 and partition = $2 and fence = $3 for share),
     next as (
       select event_id from event_deliveries
       where subscription_id = $1 and order_key = $4 and status = 'held' order by position limit $6),
     released as (
       update event_deliveries d set status = 'retrying', next_attempt_at = $5
       where d.event_id = any(array(select event_id from next)) and d.subscription_id = $1
         and d.status = 'held' and exists (select from held)
       returning d.event_id)
     select (select count(*) from released) as released, exists (select from event_deliveries
       where subscription_id = $1 and order_key = $4 and status = 'retrying') as waiting`,
    [lease.subscriptionId, lease.partition, lease.fence, key, now, limit],
  )
  return rows[0] ?? { released: 0, waiting: false }
}

/**
 * Makes all due at once that a holder before us left in a state: what was running, the attempts that were begun
 * counted, for consumers whose runs can end no process; what is held, where no order is kept any more. The state
 * stands in the text, since the indexes are of some states alone.
 */
export async function retryAllLeft(
  db: Db,
  lease: Lease,
  state: "running" | "held",
  now: Date,
): Promise<void> {
  await db.query(
    `with lease as (
       select from subscription_partitions
       where subscription_id = $1 and partition = $2 and fence = $3 for share)
     update event_deliveries set status = 'retrying', next_attempt_at = $4
     where subscription_id = $1 and partition = $2 and status = '${state}' and exists (select from lease)`,
    [lease.subscriptionId, lease.partition, lease.fence, now],
  )
}
