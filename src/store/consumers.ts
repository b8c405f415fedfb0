import type { Pool } from "pg"
import { SignalboxError } from "../core/errors.ts"
import { transaction, type Db } from "./database.ts"
import { mustBeReached } from "./log-pages.ts"
import { orderKeyOf } from "./logged-events.ts"

/** What stands on the consumer machine. */
export type ConsumerKind = "handler" | "callback" | "webhook" | "group"

/** Where a consumer that is new begins: after the newest event, at the oldest kept, or after a position. */
export type StartFrom = "head" | "earliest" | number

/** A consumer as it is stored. */
export interface ConsumerRecord {
  tenant: string
  name: string
  kind: ConsumerKind
  stream: string
  filter: Readonly<Record<string, unknown>>
  partitions: number
  from: StartFrom
}

/** Which partition an event belongs to, by its entity, or by its id where it has none. */
export type PartitionOf = (key: string, partitions: number) => number

/**
 * Makes a consumer known, or finds the one of that name. A new one starts where `from` says, one that
 * is known keeps its cursors. Another number of partitions than before is brought about at once: the
 * holders of its leases lose them, and every partition starts at the lowest of the old cursors, where
 * event_deliveries tells what was done already. Throws `conflict` if the name is of another kind, `bad_request`
 * where a new one would begin beyond the log.
 */
export async function registerConsumer(
  pool: Pool,
  record: ConsumerRecord,
  partitionOf: PartitionOf,
): Promise<string> {
  return transaction(pool, async (db) => {
    const { rows } = await db.query<{ id: string; partitions: number; created: boolean }>(
      `insert into stream_subscriptions as s (tenant, name, kind, stream, filter, partitions)
       values ($1, $2, $3, $4, $5, $6)
       on conflict (tenant, name) do update
         set stream = excluded.stream, filter = excluded.filter, last_seen_at = now()
         where s.kind = excluded.kind
       returning id, partitions, xmax = 0 as created`,
      [
        record.tenant,
        record.name,
        record.kind,
        record.stream,
        JSON.stringify(record.filter),
        record.partitions,
      ],
    )
    const found = rows[0]
    if (found === undefined) {
      throw new SignalboxError("conflict", `the name "${record.name}" belongs to a consumer of another kind`)
    }
    if (found.created) {
      if (typeof record.from === "number") {
        await mustBeReached(db, `consumer "${record.name}": from`, record.from, beginWith)
      }
      await addPartitions(db, found.id, record)
    } else if (found.partitions !== record.partitions) {
      await repartition(db, found.id, record.partitions, partitionOf)
    }
    return found.id
  })
}

const beginWith = "begin with earliest or head"

/** Gives a new consumer its cursors. */
export async function addPartitions(
  db: Db,
  id: string,
  { partitions, from }: Pick<ConsumerRecord, "partitions" | "from">,
): Promise<void> {
  await db.query(
    `insert into subscription_partitions (subscription_id, partition, position)
     select $1, n, coalesce(case when $3 = 'earliest' then (select min(position) - 1 from event_log) else $4 end,
       (select position from event_log_head))
     from generate_series(0, $2::integer - 1) n`,
    [id, partitions, typeof from === "number" ? "position" : from, typeof from === "number" ? from : null],
  )
}

/** Deals a consumer into another number of partitions, in the caller's transaction. */
export async function repartition(
  db: Db,
  id: string,
  partitions: number,
  partitionOf: PartitionOf,
): Promise<void> {
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
  const { rows } = await db.query<{ event_id: string; key: string | null }>(
    `select d.event_id, ${orderKeyOf("l")} as key
     from event_deliveries d left join event_log l on l.event_id = d.event_id
     where d.subscription_id = $1 and d.status in ('running', 'retrying', 'held')`,
    [id],
  )
  await db.query(
    // by an array, for the reason told in deliveries.ts
    `update event_deliveries d set partition = r.partition
     from jsonb_to_recordset($2::jsonb) as r (ids uuid[], partition smallint)
     where d.subscription_id = $1 and d.event_id = any(r.ids)`,
    [
      id,
      JSON.stringify(
        rows.map((row) => ({
          ids: [row.event_id],
          partition: partitionOf(row.key ?? row.event_id, partitions),
        })),
      ),
    ],
  )
}
