import type { Pool } from "pg"
import { pushesOf } from "./payload-profiles.ts"

/** What every competitor of the delivery bench sends, in turn. */
export const deliveredBodies: readonly Buffer[] = pushesOf({ bytes: 8 << 10, count: 64 }).map(
  ({ body }) => body,
)

/** The secret that all of them sign with. */
export const deliverySecret = `whsec_${Buffer.alloc(32, "bench").toString("base64")}`

/** Requests under way at a time, each competitor. */
export const inFlight = 64

/** Puts the bodies into a database of ours, for `fillLog`. */
export async function storeBodies(pool: Pool): Promise<void> {
  await pool.query("create table bench_bodies (n integer primary key, raw bytea not null)")
  for (const [n, raw] of deliveredBodies.entries())
    await pool.query("insert into bench_bodies values ($1, $2)", [n, raw])
}

/**
 * Logs events as if they had come and been processed just now, all in one transaction: the types
 * `custom.part<0 … parts - 1>.pushed` in turn, each about a commit of its own, which it refers to.
 */
export async function fillLog(pool: Pool, count: number, parts: number): Promise<void> {
  await pool.query(`do $$
    declare first bigint;
    begin
      create temp table drafts on commit drop as
        select n, now() as at, 'custom.part' || n % ${parts} || '.pushed' as type,
          'github:commit:' || md5(random()::text) as entity,
          (lpad(to_hex(floor(extract(epoch from now()) * 1000)::bigint), 12, '0') || '7' || left(md5('a' || random()), 3)
            || '8' || left(md5('b' || random()), 15))::uuid as id
        from generate_series(1, ${count}) n;
      insert into events (id, tenant, platform, source, type, name, delivery_id, priority, entity, title, url,
          occurred_at, received_at, correlation_id, headers, content_type, raw, actor_id, actor_name, actor_bot)
        select id, 'default', 'custom', 'bench', type, 'push', id, 'normal', entity, 'Commit ' || drafts.n,
          'https://github.example/acme/api/commit/' || drafts.n, at, at, id,
          '{"x-github-event": "push", "user-agent": "GitHub-Hookshot/b0db1f5"}', 'application/json', raw,
          'someone', 'Some One', false
        from drafts join bench_bodies b on b.n = drafts.n % ${deliveredBodies.length};
      insert into event_references (event_id, tenant, ordinal, entity, relation, evidence)
        select id, 'default', 0, entity, 'mentions', '{"field": "title", "text": "Commit", "start": 0, "end": 6}'
        from drafts;
      update event_log_head set position = position + ${count} returning position - ${count} into first;
      insert into event_log (position, event_id, tenant, platform, source, type, name, priority, entity,
          occurred_at, correlation_id, bytes, appended_at)
        select first + drafts.n, id, 'default', 'custom', 'bench', type, 'push', 'normal', entity, at, id,
          octet_length(raw), at
        from drafts join bench_bodies b on b.n = drafts.n % ${deliveredBodies.length};
      perform pg_notify('signalbox_log', (first + ${count})::text);
    end $$`)
}
