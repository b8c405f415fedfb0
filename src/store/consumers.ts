import type { Pool } from "pg"
import { SignalboxError } from "../core/errors.ts"
import { transaction, type Db } from "./database.ts"
import { orUnavailable } from "./failure.ts"
import { mustBeReached } from "./log-pages.ts"
import { dealingTransaction, repartition } from "./repartition.ts"

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

/**
 * Makes a consumer known, or finds the one of that name. A new one starts where `from` says, one that
 * is known keeps its cursors. Another number of partitions than before is brought about at once: the
 * holders of its leases lose them, and every partition starts at the lowest of the old cursors, where
 * event_deliveries tells what was done already. Throws `conflict` if the name is of another kind, `bad_request`
 * where a new one would begin beyond the log.
 */
export async function registerConsumer(pool: Pool, record: ConsumerRecord): Promise<string> {
  // Dealing anew is rare, and its turn may be long in coming: it is looked for before.
  const { rows: known } = await orUnavailable(
    pool.query<{ partitions: number }>(
      "select partitions from stream_subscriptions where tenant = $1 and name = $2",
      [record.tenant, record.name],
    ),
  )
  const isDealt = known[0] !== undefined && known[0].partitions !== record.partitions
  const register = (db: Db, beside: Db) => registerIn(db, beside, record)
  return isDealt ? dealingTransaction(pool, register) : transaction(pool, (db) => register(db, pool))
}

async function registerIn(db: Db, beside: Db, record: ConsumerRecord): Promise<string> {
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
    await repartition(db, beside, found.id, record.partitions)
  }
  return found.id
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
