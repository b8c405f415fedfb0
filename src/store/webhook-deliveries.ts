import type { Pool } from "pg"
import { transaction, type Db } from "./database.ts"
import { retryWhereDealt } from "./deal-deliveries.ts"

/** What may become of an event at a subscription. */
export const deliveryStatuses = ["running", "delivered", "retrying", "held", "dead", "skipped"] as const
export type DeliveryStatus = (typeof deliveryStatuses)[number]

/** State of one event at a subscription. */
export interface DeliveryRow {
  eventId: string
  type: string | null
  position: number
  status: DeliveryStatus
  /** Those that are recorded, of all times it was given its attempts; of the last time also those only begun. */
  attempts: number
  /** The replay that handed it on last; null where none has. */
  replayId: string | null
  nextAttemptAt: Date | null
  lastError: string | null
  firstAttemptAt: Date | null
  finishedAt: Date | null
}

/** One request, as it went. */
export interface AttemptRow {
  /** Its number among all recorded for this event, whoever asked for them. */
  attempt: number
  sentAt: Date
  statusCode: number | null
  durationMs: number
  response: string | null
  error: string | null
  secretIds: string[]
  replayId: string | null
}

const columns = `d.event_id as "eventId", l.type, d.position, d.status,
  greatest(d.attempts, (select count(*) from webhook_attempts a
    where a.subscription_id = d.subscription_id and a.event_id = d.event_id)) as attempts,
  d.replay_id as "replayId", d.next_attempt_at as "nextAttemptAt", d.last_error as "lastError", d.first_attempt_at as "firstAttemptAt",
  d.finished_at as "finishedAt"`

/** Which deliveries are meant. */
export interface DeliveryPage {
  status: DeliveryStatus | undefined
  /** Id of the last event of the page before. */
  before: string | undefined
  limit: number
}

/**
 * Deliveries of a subscription, those of the latest events first. Without a status, those that were
 * attempted and those that are kept without: no index holds every delivery of a subscription, since
 * each would cost every delivery.
 */
export async function listDeliveries(
  db: Db,
  subscriptionId: string,
  { status, before, limit }: DeliveryPage,
): Promise<DeliveryRow[]> {
  const attempted = `select distinct event_id from webhook_attempts
    where subscription_id = $1 and ($2::uuid is null or event_id < $2)`
  const found =
    status === undefined
      ? `select event_id from (
           (${attempted} order by event_id desc limit $3)
           union (select event_id from event_deliveries
             where subscription_id = $1 and status in ('dead', 'skipped', 'held')
               and ($2::uuid is null or event_id < $2) order by event_id desc limit $3)
           union (select event_id from event_deliveries
             where subscription_id = $1 and status in ('running', 'retrying')
               and ($2::uuid is null or event_id < $2) order by event_id desc limit $3)) f
         order by event_id desc limit $3`
      : status === "delivered"
        ? `select d.event_id from (${attempted}) a
           join event_deliveries d on d.event_id = a.event_id and d.subscription_id = $1
           where d.status = 'delivered' order by 1 desc limit $3`
        : `select event_id from event_deliveries
           where subscription_id = $1 and status = '${status}' and ($2::uuid is null or event_id < $2)
           order by event_id desc limit $3`
  const { rows } = await db.query<DeliveryRow>(
    `select ${columns} from event_deliveries d left join event_log l on l.event_id = d.event_id
     where d.event_id = any(array(${found})) and d.subscription_id = $1 order by d.event_id desc`,
    [subscriptionId, before ?? null, limit],
  )
  return rows
}

/** One delivery; undefined where the subscription never had the event. */
export async function findDelivery(
  db: Db,
  subscriptionId: string,
  eventId: string,
): Promise<DeliveryRow | undefined> {
  const { rows } = await db.query<DeliveryRow>(
    `select ${columns} from event_deliveries d left join event_log l on l.event_id = d.event_id
     where d.event_id = $2 and d.subscription_id = $1`,
    [subscriptionId, eventId],
  )
  return rows[0]
}

/** The attempts at a delivery, the first one first; the last 200 of them. */
export async function listAttempts(db: Db, subscriptionId: string, eventId: string): Promise<AttemptRow[]> {
  const { rows } = await db.query<AttemptRow>(
    `select row_number() over (order by sent_at, attempt) as attempt, sent_at as "sentAt", status_code as "statusCode", duration_ms as "durationMs", response,
       error, secret_ids as "secretIds", replay_id as "replayId"
     from webhook_attempts where subscription_id = $1 and event_id = $2
     order by sent_at desc, webhook_attempts.attempt desc limit 200`,
    [subscriptionId, eventId],
  )
  return rows.toReversed()
}

/** Which deliveries are to be made anew. */
export interface RetrySelection {
  statuses: readonly ("dead" | "skipped" | "retrying")[]
  /** One event, whatever its time. */
  eventId: string | null
  since: Date | null
  until: Date | null
}

/**
 * Gives some of these deliveries all of their attempts back, due at once, and settles their dead
 * letters; answers their ids, at most `limit` of them after `after`. Their holder takes them up within a beat.
 */
export async function retryDeliveries(
  pool: Pool,
  subscriptionId: string,
  { statuses, eventId, since, until }: RetrySelection,
  { after, limit }: { after: string | null; limit: number },
): Promise<string[]> {
  const retry = async (db: Db): Promise<string[]> => {
    const { rows } = await db.query<{ id: string }>(
      `with chosen as (
       select event_id from event_deliveries
       where subscription_id = $1 and status = any($2) and ($3::uuid is null or event_id = $3)
         and ($4::timestamptz is null or event_id >= uuidv7_lower_bound($4))
         and ($5::timestamptz is null or event_id < uuidv7_lower_bound($5))
         and ($6::uuid is null or event_id > $6)
       order by event_id limit $7),
     again as (
       update event_deliveries d
       set status = 'retrying', attempts = 0, next_attempt_at = now(), finished_at = null
       where d.event_id = any(array(select event_id from chosen)) and d.subscription_id = $1
         and d.status = any($2)
       returning d.event_id),
     settled as (
       update dead_letters l set status = 'retried', settled_at = now()
       where l.subscription_id = $1 and l.status = 'open'
         and l.event_id = any(array(select event_id from again)))
     select event_id as id from again order by event_id`,
      [subscriptionId, statuses, eventId, since, until, after, limit],
    )
    return rows.map(({ id }) => id)
  }
  return transaction(pool, (db) => retryWhereDealt(db, subscriptionId, () => retry(db)))
}
