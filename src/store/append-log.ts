import type { StoredEvent } from "../core/envelope.ts"
import { eventTie } from "../core/event-tie.ts"
import type { Db } from "./database.ts"
import { jsonRow, jsonRows } from "./json-rows.ts"
import { metricsText, type EventCount } from "./metrics.ts"

/** What of an event the log holds itself, as a row for `appendToLog`. */
export function logRow(event: StoredEvent): string {
  return jsonRow({
    event_id: event.id,
    tenant: event.tenant,
    platform: event.platform,
    source: event.source,
    type: event.type,
    name: event.name,
    priority: event.priority,
    entity: event.entity,
    actor_id: event.actor?.id,
    occurred_at: event.occurredAt ?? event.receivedAt,
    correlation_id: event.correlationId,
    bytes: event.raw.length,
    tie: eventTie(event),
  })
}

/**
 * The serialized step: gives the rows their positions in the order given, adds up the counts and
 * tells whoever listens the newest position. The lock on the head is held to the end of the
 * transaction, so the COMMIT should follow at once. Fails where an event is in the log already.
 */
export async function appendToLog(
  db: Db,
  rows: readonly string[],
  counts: readonly EventCount[],
): Promise<void> {
  await db.query({
    name: "append_to_log",
    text: `with head as (
        update event_log_head set position = position + $2::int where singleton returning position
      ), appended as (
        insert into event_log (position, event_id, tenant, platform, source, type, name, priority, entity,
          actor_id, occurred_at, correlation_id, bytes, tie, appended_at)
        select head.position - $2::int + x.ordinal, x.event_id, x.tenant, x.platform, x.source, x.type, x.name,
          x.priority, x.entity, x.actor_id, x.occurred_at, x.correlation_id, x.bytes, x.tie, clock_timestamp()
        from head, rows from (jsonb_to_recordset($1::jsonb) as (event_id uuid, tenant text, platform text,
          source text, type text, name text, priority text, entity text, actor_id text,
          occurred_at timestamptz, correlation_id text, bytes integer, tie bigint)) with ordinality as x (event_id, tenant,
          platform, source, type, name, priority, entity, actor_id, occurred_at, correlation_id, bytes, tie, ordinal)
      ), counted as (
        ${metricsText("$3", "head,")}
      )
      select pg_notify('signalbox_log', position::text) from head`,
    values: [jsonRows(rows), rows.length, jsonRows(counts.map(jsonRow))],
  })
}

/** Takes the lock that `appendToLog` takes: to the end of the transaction nobody else appends. */
export async function lockLog(db: Db): Promise<void> {
  await db.query({ name: "lock_log", text: "select from event_log_head where singleton for update" })
}

/**
 * Brings what the log holds of events up to date; positions stay, and so does what deals them into partitions:
 * the first entity is kept. As in `updateEvents`, an id is compared as an array of one, which `offset 0` keeps
 * the planner from seeing through.
 */
export async function updateLog(db: Db, rows: readonly string[]): Promise<void> {
  await db.query({
    name: "update_log",
    text: `update event_log l set type = x.type, entity = x.entity, actor_id = x.actor_id,
        occurred_at = x.occurred_at, correlation_id = x.correlation_id, tie = x.tie,
        order_key = case when x.entity is distinct from l.entity
          then coalesce(l.order_key, l.entity, l.event_id::text) else l.order_key end
      from (
        select array[event_id] as ids, type, entity, actor_id, occurred_at, correlation_id, tie
        from jsonb_to_recordset($1::jsonb) as r (event_id uuid, type text, entity text, actor_id text,
          occurred_at timestamptz, correlation_id text, tie bigint)
        offset 0
      ) x
      where l.event_id = any(x.ids)`,
    values: [jsonRows(rows)],
  })
}
