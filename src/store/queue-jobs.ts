import type { Db } from "./database.ts"

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

/** Whether these queues still have work that was given to them before `at`, by the database's clock. */
export async function hasJobsBefore(db: Db, queues: readonly string[], at: Date): Promise<boolean> {
  const { rows } = await db.query(
    `select from pgboss.job
     where name = any($1::text[]) and state in ('created', 'retry', 'active') and created_on <= $2 limit 1`,
    [queues, at],
  )
  return rows.length > 0
}
