import { randomUUID } from "node:crypto"
import type { Pool } from "pg"
import { removeMember, renewMember } from "./consumer-leases.ts"
import { transaction, type Db } from "./database.ts"
import { dealDeliveries, dealtDeliveries, type DealtDelivery } from "./deal-deliveries.ts"

const pageRows = 2_000
const heldMs = 30_000

/**
 * Deals a consumer into another number of partitions, in the caller's transaction. The holders of its leases lose
 * them at once, apart from that transaction: what they still write is refused rather than kept waiting
 * for its end, and with it whatever is written together with theirs. What is settled stays where it is, and is
 * moved by `retryWhereDealt` once it is tried again.
 */
export async function repartition(db: Db, pool: Pool, id: string, partitions: number): Promise<void> {
  const holder = `dealing/${randomUUID()}`
  await takeAll(pool, id, holder)
  try {
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
      if (left) await renewMember(pool, holder, [], heldMs)
    }
    await db.query("close unsettled")
  } finally {
    // Its partitions are locked until the transaction ends, whoever owns them.
    await removeMember(pool, holder).catch(() => {}) // it ends by itself
  }
}

/** Takes every partition from its holder, for one that does nothing with them. */
async function takeAll(pool: Pool, id: string, holder: string): Promise<void> {
  await transaction(pool, async (db) => {
    await renewMember(db, holder, [], heldMs)
    await db.query(
      `with held as (select partition from subscription_partitions where subscription_id = $1
         order by partition for no key update)
       update subscription_partitions p set fence = fence + 1, lease_owner = $2
       from held where p.subscription_id = $1 and p.partition = held.partition`,
      [id, holder],
    )
  })
}
