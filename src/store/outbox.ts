import type { Db } from "./database.ts"

/** Whatever runs a statement in the caller's own transaction: a connection of pg, or anything alike. */
export interface Transaction {
  query(text: string, values: unknown[]): Promise<unknown>
}

/** A row to put into the outbox. */
export interface OutboxEntry {
  eventId: string
  tenant: string
  type: string
  entityType: string | null
  entityId: string | null
  /** The body of a custom event, as JSON that jsonb takes. */
  body: string
}

/** Channel on which a commit that left something in the outbox says so. */
export const outboxChannel = "signalbox_outbox"

/** Puts rows into the outbox, to be handed over in their order, and has the commit say so. */
export async function insertOutbox(tx: Transaction, entries: readonly OutboxEntry[]): Promise<void> {
  const columns = [
    entries.map(({ eventId }) => eventId),
    entries.map(({ tenant }) => tenant),
    entries.map(({ type }) => type),
    entries.map(({ entityType }) => entityType),
    entries.map(({ entityId }) => entityId),
    entries.map(({ body }) => body),
  ]
  await tx.query(
    `with entry as (
       insert into outbox (event_id, tenant, event_type, entity_type, entity_id, payload)
       select event_id, tenant, event_type, entity_type, entity_id, payload::jsonb
       from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) with ordinality
         as x (event_id, tenant, event_type, entity_type, entity_id, payload, ordinal)
       order by ordinal returning id
     )
     select pg_notify('${outboxChannel}', '') from entry limit 1`,
    columns,
  )
}

/** A row that waits to be handed over. */
export interface WaitingEntry {
  id: number
  eventId: string
  tenant: string
  type: string
  body: string
  attempts: number
}

/**
 * Takes the turn at the outbox, to the end of the transaction; false while another relay has it. With several
 * at once, later rows could be taken in before earlier ones.
 */
export async function takeOutboxTurn(db: Db): Promise<boolean> {
  const { rows } = await db.query<{ taken: boolean }>(
    "select pg_try_advisory_xact_lock(hashtextextended('signalbox.outbox', 0)) as taken",
  )
  return rows[0]?.taken === true
}

/**
 * Takes rows that are due, in the order they were put in, with about `maxBytes` of bodies and at least
 * one, and holds them to the end of the transaction; what somebody else holds is passed over. A row
 * that failed is due again after 1, 2, 4, … seconds, five minutes at most.
 */
export async function takeOutbox(db: Db, limit: number, maxBytes: number): Promise<WaitingEntry[]> {
  const { rows } = await db.query<WaitingEntry>(
    // the rows past the limit of bytes are locked too, but do not travel
    `with due as materialized (
       select id, event_id, tenant, event_type, payload::text as body, attempts
       from outbox
       where processed_at is null
         and (attempts = 0 or claimed_at < now() - least(300, power(2, least(attempts, 20) - 1)) * interval '1 second')
       order by id limit $1 for update skip locked
     ), sized as (
       select *, sum(octet_length(body)) over (order by id) - octet_length(body) as bytes_before from due
     )
     select id, event_id as "eventId", tenant, event_type as type, body, attempts
     from sized where bytes_before < $2 order by id`,
    [limit, maxBytes],
  )
  return rows
}

/** Marks rows as handed over. */
export async function finishOutbox(db: Db, ids: readonly number[]): Promise<void> {
  await db.query(
    `update outbox set claimed_at = now(), processed_at = now(), attempts = attempts + 1, last_error = null
     where id = any($1::bigint[])`,
    [ids],
  )
}

/** Records why a row was not handed over; `isFinal` keeps it from being tried again. */
export async function failOutbox(db: Db, id: number, error: string, isFinal: boolean): Promise<void> {
  await db.query(
    `update outbox set claimed_at = now(), attempts = attempts + 1, last_error = $2,
       processed_at = case when $3 then now() end
     where id = $1`,
    [id, error, isFinal],
  )
}

/** Has a row that was given up handed over again, with attempts anew; false where there is none. */
export async function reopenOutbox(db: Db, eventId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `update outbox set processed_at = null, attempts = 0
     where event_id = $1 and processed_at is not null and last_error is not null`,
    [eventId],
  )
  return rowCount === 1
}

/** Removes rows handed over so long ago, up to `limit`; those given up stay. Answers how many. */
export async function purgeOutbox(db: Db, keptHours: number, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from outbox where id = any(array(
       select id from outbox
       where processed_at < now() - make_interval(hours => $1) and last_error is null
       order by processed_at limit $2 for update skip locked))`,
    [keptHours, limit],
  )
  return rowCount ?? 0
}
