import { SignalboxError } from "../core/errors.ts"
import type { ConsumerKind } from "./consumers.ts"
import type { Db } from "./database.ts"
import { allowLonger } from "./statement-time.ts"

/** A consumer that keeps its place, as whoever looks after it sees it. */
export interface DurableConsumer {
  tenant: string
  name: string
  kind: ConsumerKind
  stream: string
  filter: object
  partitions: number
  status: string
  /** Where its partition furthest behind is. */
  position: number
  /** Processes, or members of a group, that are ready to run it. */
  holders: number
  createdAt: Date
  lastSeenAt: Date
}

/** What the list is sorted by. */
export type ConsumerPlace = Pick<DurableConsumer, "name" | "tenant">

const isReady = "m.subscriptions @> array[s.id] and m.expires_at > clock_timestamp()"

/** Consumers of a tenant and, where `everybodys`, those for all tenants; by name. */
export async function listConsumers(
  db: Db,
  tenant: string,
  { limit, after, everybodys }: { limit: number; after: ConsumerPlace | null; everybodys: boolean },
): Promise<DurableConsumer[]> {
  const { rows } = await db.query<DurableConsumer>(
    `select s.tenant, s.name, s.kind, s.stream, s.filter, s.partitions, s.status,
       coalesce((select min(position) from subscription_partitions p where p.subscription_id = s.id), 0) as position,
       (select count(*) from consumer_members m where ${isReady}) as holders,
       s.created_at as "createdAt", s.last_seen_at as "lastSeenAt"
     from stream_subscriptions s
     where s.tenant = any($1) and ($3::text is null or (s.name, s.tenant) > ($3, $4))
     order by s.name, s.tenant limit $2`,
    [everybodys ? [tenant, "*"] : [tenant], limit, after?.name, after?.tenant],
  )
  return rows
}

/**
 * Removes the consumer of a handler or a named callback with its place, in the caller's transaction. Throws
 * `not_found`, and `conflict` for one of another kind, and while a process runs it, which would miss it.
 */
export async function removeIdleConsumer(
  db: Db,
  tenant: string,
  name: string,
  { everybodys }: { everybodys: boolean },
): Promise<void> {
  const { rows } = await db.query<{ id: string; kind: ConsumerKind; holders: number }>(
    `select s.id, s.kind, (select count(*) from consumer_members m where ${isReady}) as holders
     from stream_subscriptions s where s.tenant = any($1) and s.name = $2
     order by s.tenant = $3 desc limit 1 for update of s`,
    [everybodys ? [tenant, "*"] : [tenant], name, tenant],
  )
  const [found] = rows
  if (found === undefined) {
    throw new SignalboxError("not_found", `there is no consumer ${JSON.stringify(name)}`)
  }
  const elsewhere = { webhook: "subscriptions", group: "consumer-groups", handler: null, callback: null }[
    found.kind
  ]
  if (elsewhere !== null) {
    throw new SignalboxError("conflict", `it is a ${found.kind}: remove it at /api/v1/${elsewhere}`)
  }
  if (found.holders > 0) {
    throw new SignalboxError("conflict", "a process of the hub runs it: take it out of the program first")
  }
  await deleteConsumer(db, found.id)
}

const longestMs = 10 * 60_000 // every event that it was ever given may have become a dead letter

/** Deletes a consumer with its cursors, and its open dead letters' way back. */
export async function deleteConsumer(db: Db, id: string): Promise<void> {
  await allowLonger(db, longestMs)
  await db.query(
    "update dead_letters set status = 'discarded', settled_at = now() where subscription_id = $1 and status = 'open'",
    [id],
  )
  await db.query("delete from stream_subscriptions where id = $1", [id])
}
