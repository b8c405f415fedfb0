import type { Db } from "./database.ts"
import type { SourceKey } from "./gaps.ts"

/** Makes concurrent installations of the queue wait for one another, until the session ends. */
export async function lockQueueInstallation(db: Db): Promise<void> {
  await db.query("select pg_advisory_lock(hashtextextended('signalbox.queue', 0))")
}

/** What the worker role may do with pg-boss's tables: everything but change their form. */
export async function grantQueue(db: Db): Promise<void> {
  await db.query("grant usage on schema pgboss to signalbox_worker")
  await db.query("grant select, insert, update, delete on all tables in schema pgboss to signalbox_worker")
  await db.query("grant usage on all sequences in schema pgboss to signalbox_worker")
}

/** The attempt of a job that some worker holds. */
export interface HeldJob {
  queue: string
  id: string
  retryCount: number
}

/** Every job of these queues that a worker has claimed and not settled. */
export async function heldJobs(db: Db, queues: readonly string[]): Promise<HeldJob[]> {
  const { rows } = await db.query<HeldJob>(
    `select name as queue, id, retry_count as "retryCount" from pgboss.job
     where name = any($1::text[]) and state = 'active' order by name, id`,
    [queues],
  )
  return rows
}

/** The time by the database's clock. */
export async function databaseTime(db: Db): Promise<Date> {
  const { rows } = await db.query<{ now: Date }>("select clock_timestamp() as now")
  return rows[0]?.now ?? new Date()
}

const isUnfinished = "name = any($1::text[]) and state in ('created', 'retry', 'active')"

/**
 * The unfinished jobs of these queues, given to them before now, that hold events of a source. It looks
 * at every event that waits, each by its id whatever the planner thinks of their number (`offset 0`).
 */
export async function jobsOfSource(
  db: Db,
  queues: readonly string[],
  { tenant, platform, name }: SourceKey,
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from pgboss.job
     where ${isUnfinished} and exists (
       select from jsonb_array_elements_text(data -> 'eventIds') as held (event_id)
       cross join lateral (select from events e where e.id = held.event_id::uuid
         and e.tenant = $2 and e.platform = $3 and e.source = $4 offset 0) ours)`,
    [queues, tenant, platform, name],
  )
  return rows.map(({ id }) => id)
}

/** Those of these jobs that are not finished yet. */
export async function unfinishedJobs(
  db: Db,
  queues: readonly string[],
  ids: readonly string[],
): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from pgboss.job where ${isUnfinished} and id = any($2::uuid[])`,
    [queues, ids],
  )
  return rows.map(({ id }) => id)
}
