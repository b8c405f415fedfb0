import type { Database } from "../../src/store/database.ts"

/** Puts many small events at the end of the log at once: `bulk.it.happened`, of a hundred entities by turns. */
export async function appendMany(database: Pick<Database, "work">, count: number): Promise<void> {
  await database.work.query(
    `with head as (update event_log_head set position = position + $1::bigint returning position - $1::bigint as last),
     made as (
       select n, (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
         || lpad(to_hex(n), 19, '0'))::uuid as id, 'bulk:thing:' || n % 100 as entity
       from generate_series(1, $1::integer) n),
     stored as (
       insert into events (id, tenant, platform, source, type, name, delivery_id, priority, entity, occurred_at,
         received_at, correlation_id, headers, content_type, raw)
       select id, 'default', 'custom', 'bulk', 'bulk.it.happened', 'bulk', id::text, 'normal', entity, now(), now(),
         id::text, '{}', 'application/json', '{}'::bytea from made)
     insert into event_log (position, event_id, tenant, platform, source, type, name, priority, entity,
       occurred_at, correlation_id, bytes, appended_at)
     select head.last + n, id, 'default', 'custom', 'bulk', 'bulk.it.happened', 'bulk', 'normal', entity, now(),
       id::text, 2, now() from made, head`,
    [count],
  )
}
