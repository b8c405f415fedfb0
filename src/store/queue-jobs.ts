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

/** Jobs of one queue that wait (those put off included) and that are being worked on. */
export interface QueueDepth {
  queue: string
  waiting: number
  active: number
  /** When the longest-waiting job that is due came to be; null where none waits. */
  oldest: Date | null
}

/** How much waits in each of these queues; queues without a job are left out. */
export async function queueDepths(db: Db, queues: readonly string[]): Promise<QueueDepth[]> {
  const { rows } = await db.query<QueueDepth>(
    `select name as queue, count(*) filter (where state < 'active') as waiting,
       count(*) filter (where state = 'active') as active,
       min(created_on) filter (where state < 'active' and start_after <= now()) as oldest
     from pgboss.job where name = any($1::text[]) and state < 'completed' group by name`,
    [queues],
  )
  return rows
}
