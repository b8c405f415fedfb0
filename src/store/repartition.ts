import { randomUUID } from "node:crypto"
import type { Pool } from "pg"
import { removeMember, renewMember } from "./consumer-leases.ts"
import { transaction, type Db } from "./database.ts"
import { dealDeliveries, dealtDeliveries, type DealtDelivery } from "./deal-deliveries.ts"
import { orUnavailable } from "./failure.ts"

const pageRows = 2_000
const heldMs = 30_000

const lastDealings = new WeakMap<Pool, Promise<unknown>>()

/**
 * Runs `body` in a transaction that may deal a consumer anew, with a second connection `beside` it. Both are had
 * before anything is locked, and by one at a time in a process: others that want connections of the pool while
 * they hold some, or while they wait for what is locked here, could leave none for the second.
 */
export function dealingTransaction<T>(pool: Pool, body: (db: Db, beside: Db) => Promise<T>): Promise<T> {
  const turn = (lastDealings.get(pool) ?? Promise.resolve()).then(async () => {
    const beside = await orUnavailable(pool.connect())
    try {
      return await transaction(pool, (db) => body(db, beside))
    } finally {
      beside.release()
    }
  })
  lastDealings.set(
    pool,
    turn.catch(() => {}),
  )
  return turn
}

/**
 * Deals a consumer into another number of partitions, in the caller's transaction. The holders of its leases lose
 * them at once, apart from that transaction: what they still write is refused rather than kept waiting
 * for its end, and with it whatever is written together with theirs. What is settled stays where it is, and is
 * moved by `retryWhereDealt` once it is tried again. `beside` is no connection of the transaction.
 */
export async function repartition(db: Db, beside: Db, id: string, partitions: number): Promise<void> {
  const holder = `dealing/${randomUUID()}`
  try {
    await takeAll(beside, id, holder)
    await db.query(
      "select from subscription_partitions where subscription_id = $1 order by partition for update",
      [id],
    )
    await db.query(
      `with old as (select min(position) as position, max(fence) + 1 as fence
         from subscription_partitions where subscription_id = $1)
       insert into subscription_partitions as p (subscription_id, partition, position, fence)
       select $1, n, old.position, old.fence from old, generate_series(0, $2::integer - 1) n
       on conflict (subscription_id, partition) do update
         set position = excluded.position, fence = excluded.fence, lease_owner = null`,
      [id, partitions],
    )
    await db.query("delete from subscription_partitions where subscription_id = $1 and partition >= $2", [
      id,
      partitions,
    ])
    await db.query("update stream_subscriptions set partitions = $2 where id = $1", [id, partitions])
    await db.query(
      `declare unsettled no scroll cursor for
       ${dealtDeliveries}
       where d.subscription_id = $1 and d.status in ('running', 'retrying', 'held')`,
      [id],
    )
    for (let left = true; left;) {
      const { rows } = await db.query<DealtDelivery>(`fetch ${pageRows} from unsettled`)
      await dealDeliveries(db, id, partitions, rows)
      left = rows.length === pageRows
      if (left) await renewMember(beside, holder, [], heldMs)
    }
    await db.query("close unsettled")
  } finally {
    // Its partitions are locked until the transaction ends, whoever owns them.
    await removeMember(beside, holder).catch(() => {}) // it ends by itself
  }
}

/** Takes every partition from its holder, for one that does nothing with them. */
async function takeAll(db: Db, id: string, holder: string): Promise<void> {
  await renewMember(db, holder, [], heldMs) // first: what a member has that is not known is free
  await db.query(
    `with held as (select partition from subscription_partitions where subscription_id = $1
       order by partition for no key update)
     update subscription_partitions p set fence = fence + 1, lease_owner = $2
     from held where p.subscription_id = $1 and p.partition = held.partition`,
    [id, holder],
  )
}
