import { partitionOf } from "../core/partition-of.ts"
import type { Db } from "./database.ts"
import { orderKeyOf } from "./logged-events.ts"

/** A delivery, the partition it is in, and the key that says which one it belongs in; null where its event is gone. */
export interface DealtDelivery {
  eventId: string
  partition: number
  key: string | null
}

/** Selects deliveries `d` of a consumer as `DealtDelivery`. */
export const dealtDeliveries = `select d.event_id as "eventId", d.partition, ${orderKeyOf("l")} as key
  from event_deliveries d left join event_log l on l.event_id = d.event_id`

/** Moves deliveries of a consumer of so many partitions into those they belong in. */
export async function dealDeliveries(
  db: Db,
  id: string,
  partitions: number,
  rows: readonly DealtDelivery[],
): Promise<void> {
  const target = ({ key, eventId }: DealtDelivery) => partitionOf(key ?? eventId, partitions)
  const moved = Map.groupBy(
    rows.filter((row) => target(row) !== row.partition),
    target,
  )
  for (const [partition, those] of moved) {
    await db.query(
      // by an array, for the reason told in deliveries.ts
      "update event_deliveries set partition = $3 where subscription_id = $1 and event_id = any($2::uuid[])",
      [id, those.map(({ eventId }) => eventId), partition],
    )
  }
}

/**
 * Has the caller's transaction make deliveries of a consumer due that were settled, and moves them to whoever has
 * their entities now: to deal a consumer anew leaves what is settled where it was. Meanwhile it is not dealt anew.
 * Answers what `retry` answers, which are the ids of their events; none where the consumer is gone.
 */
export async function retryWhereDealt(db: Db, id: string, retry: () => Promise<string[]>): Promise<string[]> {
  const { rows: found } = await db.query<{ partitions: number }>(
    "select partitions from stream_subscriptions where id = $1 for share",
    [id],
  )
  if (found[0] === undefined) return []
  const eventIds = await retry()
  if (eventIds.length === 0) return []
  const { rows } = await db.query<DealtDelivery>(
    `${dealtDeliveries} where d.subscription_id = $1 and d.event_id = any($2::uuid[])`,
    [id, eventIds],
  )
  await dealDeliveries(db, id, found[0].partitions, rows)
  return eventIds
}
