import type { Pool } from "pg"
import { transaction, type Db } from "./database.ts"
import { retryWhereDealt } from "./deal-deliveries.ts"
import { jsonRow, jsonRows } from "./json-rows.ts"

/** What work a dead letter was. */
export type DeadLetterKind = "processing" | "handler" | "callback" | "webhook" | "group" | "outbox"

/** Work that used up its attempts. */
export interface NewDeadLetter {
  tenant: string
  kind: DeadLetterKind
  eventId: string
  /** The consumer that failed; null for processing and the outbox. */
  subscriptionId: string | null
  attempts: number
  /** A short word for the kind of failure. */
  errorCode: string
  error: string
}

/** A dead letter as kept. */
export interface DeadLetter extends NewDeadLetter {
  id: string
  /** Name of the consumer that failed; null for processing and the outbox, and where it has been removed. */
  consumer: string | null
  status: "open" | "retried" | "discarded"
  createdAt: Date
  settledAt: Date | null
}

const columns = `id, tenant, kind, event_id as "eventId", subscription_id as "subscriptionId",
  (select s.name from stream_subscriptions s where s.id = dead_letters.subscription_id) as consumer,
  attempts, error_code as "errorCode", error, status, created_at as "createdAt", settled_at as "settledAt"`

/** Keeps dead letters; one that is open for the same work takes over the newer attempts and error. */
export async function insertDeadLetters(db: Db, letters: readonly NewDeadLetter[]): Promise<void> {
  await db.query({
    name: "insert_dead_letters",
    text: `insert into dead_letters (tenant, kind, event_id, subscription_id, attempts, error_code, error)
      select tenant, kind, "eventId", "subscriptionId", attempts, "errorCode", error
      from jsonb_to_recordset($1::jsonb) as x (tenant text, kind text, "eventId" uuid,
        "subscriptionId" uuid, attempts integer, "errorCode" text, error text)
      order by "eventId", "subscriptionId"
      on conflict (event_id, subscription_id) where status = 'open' do update set
        attempts = excluded.attempts, error_code = excluded.error_code, error = excluded.error`,
    values: [jsonRows(letters.map(jsonRow))],
  })
}

/** Which dead letters to list, newest first. */
export interface DeadLetterQuery {
  tenant?: string
  kind?: DeadLetterKind
  status?: DeadLetter["status"]
  /** Id of the consumer that failed. */
  subscriptionId?: string | undefined
  /** The last one seen. */
  before?: { createdAt: Date; id: string }
  limit: number
}

/** Dead letters, newest first. */
export async function listDeadLetters(db: Db, query: DeadLetterQuery): Promise<DeadLetter[]> {
  const { rows } = await db.query<DeadLetter>(
    `select ${columns} from dead_letters
     where ($1::text is null or tenant = $1) and ($2::text is null or kind = $2)
       and ($3::text is null or status = $3)
       and ($4::timestamptz is null or (date_trunc('milliseconds', created_at), id) < ($4, $5::uuid))
       and ($7::uuid is null or subscription_id = $7)
     order by date_trunc('milliseconds', created_at) desc, id desc limit $6`,
    [
      query.tenant ?? null,
      query.kind ?? null,
      query.status ?? null,
      query.before?.createdAt.toISOString() ?? null,
      query.before?.id ?? null,
      query.limit,
      query.subscriptionId ?? null,
    ],
  )
  return rows
}

/** One dead letter; undefined where there is none. */
export async function findDeadLetter(db: Db, id: string): Promise<DeadLetter | undefined> {
  const { rows } = await db.query<DeadLetter>(`select ${columns} from dead_letters where id = $1`, [id])
  return rows[0]
}

/** Closes an open dead letter and answers it; undefined where none of this kind is open under this id. */
export async function settleDeadLetter(
  db: Db,
  id: string,
  status: "retried" | "discarded",
  kind?: DeadLetterKind,
): Promise<DeadLetter | undefined> {
  const { rows } = await db.query<DeadLetter>(
    `update dead_letters set status = $2, settled_at = now()
     where id = $1 and status = 'open' and ($3::text is null or kind = $3) returning ${columns}`,
    [id, status, kind ?? null],
  )
  return rows[0]
}

/**
 * Gives a dead letter of a consumer its attempts back, for that consumer alone; its next holder runs
 * it within a beat. False where no such dead letter is open, or its consumer is no more.
 */
export async function retryDeadDelivery(pool: Pool, tenant: string, id: string): Promise<boolean> {
  const letter = await findDeadLetter(pool, id)
  if (letter === undefined || letter.subscriptionId === null) return false
  const { subscriptionId } = letter
  const retry = async (db: Db): Promise<string[]> => {
    const { rows } = await db.query<{ eventId: string }>(
      `with letter as (
         select id, event_id, subscription_id from dead_letters
         where tenant = $1 and id = $2 and status = 'open' for update),
       again as (
         update event_deliveries d
         set status = 'retrying', attempts = 0, next_attempt_at = now(), finished_at = null
         where d.event_id = any(array(select event_id from letter))
           and d.subscription_id = (select subscription_id from letter) and d.status = 'dead'
         returning d.event_id)
       update dead_letters l set status = 'retried', settled_at = now()
       from letter where l.id = letter.id and exists (select from again) returning l.event_id as "eventId"`,
      [tenant, id],
    )
    return rows.map(({ eventId }) => eventId)
  }
  const retried = await transaction(pool, (db) => retryWhereDealt(db, subscriptionId, () => retry(db)))
  return retried.length > 0
}

/** Which dead letters of a consumer are to be tried again: those made within [since, until). */
export interface RetriedLetters {
  tenant: string
  subscriptionId: string
  since: Date | null
  until: Date | null
}

interface LetterPage {
  /** Ids of the events. */
  retried: string[]
  seen: number
  last: string | null
}

/**
 * Gives the next `limit` open dead letters of a consumer their attempts back, for that consumer alone. Answers how
 * many, and the id to go on `after`; null at the end. Whoever runs the consumer takes them up within a beat.
 */
export async function retryLettersOf(
  pool: Pool,
  { tenant, subscriptionId, since, until }: RetriedLetters,
  { after, limit }: { after: string | null; limit: number },
): Promise<{ retried: number; next: string | null }> {
  let page: LetterPage | undefined
  const retry = async (db: Db): Promise<string[]> => {
    const { rows } = await db.query<LetterPage>(
      `with letters as (
       select id, event_id from dead_letters
       where tenant = $1 and subscription_id = $2 and status = 'open'
         and ($3::timestamptz is null or created_at >= $3) and ($4::timestamptz is null or created_at < $4)
         and ($5::uuid is null or id > $5)
       order by id limit $6 for update),
     again as (
       update event_deliveries d
       set status = 'retrying', attempts = 0, next_attempt_at = now(), finished_at = null
       where d.event_id = any(array(select event_id from letters)) and d.subscription_id = $2
         and d.status = 'dead'
       returning d.event_id),
     settled as (
       update dead_letters l set status = 'retried', settled_at = now()
       from letters where l.id = letters.id and letters.event_id = any(array(select event_id from again))
       returning l.event_id)
     select array(select event_id from settled) as retried, (select count(*) from letters) as seen,
       (select id from letters order by id desc limit 1) as last`,
      [tenant, subscriptionId, since, until, after, limit],
    )
    page = rows[0]
    return page?.retried ?? []
  }
  const retried = await transaction(pool, (db) => retryWhereDealt(db, subscriptionId, () => retry(db)))
  return { retried: retried.length, next: page?.seen === limit ? page.last : null }
}
