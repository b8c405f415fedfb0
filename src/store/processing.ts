import type { StoredEvent } from "../core/envelope.ts"
import type { Db } from "./database.ts"
import { eventColumns, storedEvent, type EventRow } from "./events.ts"
import { jsonRow, jsonRows } from "./json-rows.ts"

/**
 * Settings for the sessions that process. Their statements find rows by their ids: plans are made
 * once and kept, since planning over all partitions takes longer than a small batch, and they may read
 * or hash no whole tables, since they outlive the statistics they were made by (an empty table's, at
 * first).
 */
export const processingSettings = {
  plan_cache_mode: "force_generic_plan",
  enable_seqscan: "off",
  enable_hashjoin: "off",
  enable_mergejoin: "off",
} as const

/** An event that is to be processed, and how many attempts it has had. */
export interface WaitingEvent {
  event: StoredEvent
  attempts: number
}

/** Events to process now; `left` are the ids whose bodies went past the limit, to be asked for next. */
export interface WaitingEvents {
  waiting: WaitingEvent[]
  left: string[]
}

type WaitingRow = Omit<EventRow, "raw"> & { raw: string | null; attempts: number }

/**
 * Of these events those that are neither in the log nor dead, in the order of their ids, with about
 * `maxBytes` of bodies and at least one.
 */
export function loadWaiting(db: Db, ids: readonly string[], maxBytes: number): Promise<WaitingEvents> {
  return load(db, "load_waiting", "s.status is distinct from 'dead' and not", ids, maxBytes)
}

/** The same of those that are in the log. */
export function loadProcessed(db: Db, ids: readonly string[], maxBytes: number): Promise<WaitingEvents> {
  return load(db, "load_processed", "", ids, maxBytes)
}

async function load(
  db: Db,
  name: string,
  condition: string,
  ids: readonly string[],
  maxBytes: number,
): Promise<WaitingEvents> {
  const { rows } = await db.query<WaitingRow>({
    name,
    // the size of a body is known without reading it
    text: `select ${eventColumns}, attempts, case when bytes_before < $2 then body_text(raw) end as raw
      from (
        select e.*, coalesce(s.attempts, 0) as attempts,
          sum(octet_length(e.raw)) over (order by e.id) - octet_length(e.raw) as bytes_before
        from events e
        left join event_processing_status s on s.event_id = e.id and s.event_id = any($1::uuid[])
        where e.id = any($1::uuid[]) and ${condition}
          exists (select from event_log l where l.event_id = e.id and l.event_id = any($1::uuid[]))
      ) sized
      order by id`,
    values: [ids, maxBytes],
  })
  const waiting: WaitingEvent[] = []
  const left: string[] = []
  for (const { raw, attempts, ...row } of rows) {
    if (raw === null) left.push(row.id)
    else waiting.push({ event: storedEvent({ ...row, raw }), attempts })
  }
  return { waiting, left }
}

/** Waits for whoever derives events anew: two at once would each leave what the other wrote. */
export async function lockReprocessing(db: Db): Promise<void> {
  await db.query("select pg_advisory_xact_lock(hashtextextended('signalbox.reprocess', 0))")
}

/** The columns that processing fills in, as a row for `updateEvents`. */
export function eventRow(event: StoredEvent): string {
  return jsonRow({
    ids: [event.id],
    type: event.type,
    actor_id: event.actor?.id,
    actor_name: event.actor?.name,
    actor_bot: event.actor?.bot,
    entity: event.entity,
    title: event.title,
    url: event.url,
    occurred_at: event.occurredAt,
    correlation_id: event.correlationId,
    causation_id: event.causationId,
  })
}

/**
 * Fills in what processing found out. An id comes as an array of one: compared so, it is looked up in
 * the index of each partition and nothing is pruned at run time, which crashed PostgreSQL 18.4 where it
 * met a row that was being changed (see settleAttempts).
 */
export async function updateEvents(db: Db, rows: readonly string[]): Promise<void> {
  await db.query({
    name: "update_events",
    text: `update events e set type = x.type, actor_id = x.actor_id, actor_name = x.actor_name,
        actor_bot = x.actor_bot, entity = x.entity, title = x.title, url = x.url,
        occurred_at = x.occurred_at, correlation_id = x.correlation_id, causation_id = x.causation_id
      from jsonb_to_recordset($1::jsonb) as x (ids uuid[], type text, actor_id text, actor_name text,
        actor_bot boolean, entity text, title text, url text, occurred_at timestamptz,
        correlation_id text, causation_id text)
      where e.id = any(x.ids)`,
    values: [jsonRows(rows)],
  })
}

/** Where the processing of an event stands, as a row for `writeStatuses`. */
export interface ProcessingStatus {
  event_id: string
  tenant: string
  status: "processed" | "retrying" | "dead"
  attempts: number
  last_error: string | null
  /** When this attempt began. */
  at: Date
}

/** Writes where events stand, over what was there. */
export async function writeStatuses(db: Db, statuses: readonly ProcessingStatus[]): Promise<void> {
  await db.query({
    name: "write_statuses",
    text: `insert into event_processing_status
        (event_id, tenant, status, attempts, last_error, first_attempt_at, processed_at)
      select event_id, tenant, status, attempts, last_error, at,
        case when status = 'processed' then now() end
      from jsonb_to_recordset($1::jsonb) as x (event_id uuid, tenant text, status text, attempts integer,
        last_error text, at timestamptz)
      on conflict (event_id) do update set status = excluded.status, attempts = excluded.attempts,
        last_error = excluded.last_error, processed_at = excluded.processed_at`,
    values: [jsonRows(statuses.map(jsonRow))],
  })
}

/** What is kept of an event while its batch is worked on. */
export type ProcessedEvent = Pick<
  StoredEvent,
  "id" | "tenant" | "platform" | "type" | "priority" | "receivedAt"
>

/** An event with the attempt that has just been counted. */
export interface CountedAttempt {
  event: ProcessedEvent
  attempts: number
}

/**
 * Counts an attempt for those of these events that are neither in the log nor dead. Where none has
 * been counted yet two are: this one, and the one whose worker is gone.
 */
export async function countAttempts(db: Db, ids: readonly string[], at: Date): Promise<CountedAttempt[]> {
  const { rows } = await db.query<ProcessedEvent & { attempts: number }>(
    `with counted as (
       insert into event_processing_status as s (event_id, tenant, status, attempts, first_attempt_at)
       select e.id, e.tenant, 'retrying', 2, $2 from events e
       where e.id = any($1::uuid[])
         and not exists (select from event_log l where l.event_id = e.id and l.event_id = any($1::uuid[]))
       order by e.id
       on conflict (event_id) do update set attempts = s.attempts + 1 where s.status = 'retrying'
       returning event_id, attempts
     )
     select e.id, e.tenant, e.platform, e.type, e.priority, e.received_at as "receivedAt", c.attempts
     from counted c join events e on e.id = c.event_id where e.id = any($1::uuid[]) order by e.id`,
    [ids, at.toISOString()],
  )
  return rows.map(({ attempts, ...event }) => ({ event, attempts }))
}

/** Takes back one attempt of events whose worker lives and failed for no fault of theirs. */
export async function uncountAttempts(db: Db, ids: readonly string[]): Promise<void> {
  await db.query(
    `update event_processing_status set attempts = attempts - 1
     where event_id = any($1::uuid[]) and status = 'retrying' and attempts > 0`,
    [ids],
  )
}

/** Forgets the attempts of a dead event, so that it is processed again. */
export async function resetAttempts(db: Db, id: string): Promise<void> {
  await db.query(
    `update event_processing_status set status = 'retrying', attempts = 0
     where event_id = $1 and status = 'dead'`,
    [id],
  )
}

/** An event without its body; undefined where there is none. */
export async function findEventHead(db: Db, id: string): Promise<ProcessedEvent | undefined> {
  const { rows } = await db.query<ProcessedEvent>(
    `select id, tenant, platform, type, priority, received_at as "receivedAt" from events where id = $1`,
    [id],
  )
  return rows[0]
}

/** How long one event took on its way, in milliseconds. */
export interface EventTiming {
  id: string
  tenant: string
  /** From its last byte received to its claim by a worker. */
  queueMs: number
}

/** Records how long events waited, and that their processing took `processingMs` up to the log. */
export async function insertTimings(
  db: Db,
  timings: readonly EventTiming[],
  processingMs: number,
  at: Date,
): Promise<void> {
  await db.query({
    name: "insert_timings",
    text: `insert into event_performance (event_id, tenant, queue_ms, processing_ms, total_ms, recorded_at)
      select id, tenant, queue_ms, $4::float8, queue_ms + $4::float8, $5::timestamptz
      from unnest($1::uuid[], $2::text[], $3::float8[]) as x (id, tenant, queue_ms)
      on conflict (event_id) do nothing`,
    values: [
      timings.map(({ id }) => id),
      timings.map(({ tenant }) => tenant),
      timings.map(({ queueMs }) => queueMs),
      processingMs,
      at.toISOString(),
    ],
  })
}
