import { uuidv7 } from "../core/uuid.ts"
import type { Db } from "./database.ts"

/** A time in which a source could not be served: its webhooks were lost unless their sender tries again. */
export interface Outage {
  platform: string
  source: string
  /** Whether nobody listened, or nothing could be stored. */
  reason: "hub_down" | "database_away"
  from: Date
  to: Date
  /** Turned away in it, as far as was seen. */
  requests: number
}

/** Outages of one cause closer to each other than this are one. */
const mergeWithin = "10 seconds"

/**
 * Notes outages in the ledger of their sources, one a source, within a transaction: an open one that
 * they overlap is widened, or else there is a new one. Whoever else found the same outage, in whatever
 * order, there is one row of it.
 */
export async function noteOutages(db: Db, outages: readonly Outage[]): Promise<void> {
  if (outages.length === 0) return
  // Two that find the same at the same time would each see none.
  await db.query("select pg_advisory_xact_lock(hashtextextended('signalbox.outages', 0))")
  const rows = outages.map((outage) => ({
    ...outage,
    id: uuidv7(),
    key: `outage ${outage.from.toISOString()}`,
  }))
  await db.query({
    name: "note_outages",
    text: `with noted as (
        select s.id as source_id, s.tenant, o.*
        from jsonb_to_recordset($1::jsonb) as o (id uuid, platform text, source text, key text, reason text,
          "from" timestamptz, "to" timestamptz, requests bigint)
        join sources s on s.platform = o.platform and s.name = o.source
          and (s.created_at <= o."from" or o.requests > 0) -- what was not there yet has missed nothing
      ), met as (
        select distinct on (g.source_id) g.id, n."from", n."to", n.requests
        from noted n
        join source_gaps g on g.source_id = n.source_id and g.kind = 'outage'
        cross join lateral (
          select case when g.reason = n.reason then interval '${mergeWithin}' else interval '0' end as reach
        ) near
        where case when g.state in ('open', 'requested')
          then g.started_at <= n."to" + reach and coalesce(g.ended_at, 'infinity') >= n."from" - reach
          else g.started_at <= n."from" and g.ended_at >= n."to" end
        order by g.source_id, g.state in ('open', 'requested') desc, g.started_at
      ), widened as (
        update source_gaps g
        set started_at = least(g.started_at, met."from"), ended_at = greatest(g.ended_at, met."to"),
          requests = g.requests + met.requests
        from met where g.id = met.id
        returning g.source_id
      )
      insert into source_gaps as g (id, source_id, tenant, kind, key, reason, started_at, ended_at, requests, state)
      select id, source_id, tenant, 'outage', key, reason, "from", "to", requests, 'open' from noted
      where source_id not in (select source_id from widened)
      on conflict (source_id, kind, key) do update
      set ended_at = greatest(g.ended_at, excluded.ended_at), requests = g.requests + excluded.requests,
        state = 'open'`,
    values: [JSON.stringify(rows)],
  })
}

/**
 * Notes that an ingesting process is at work, within a transaction, and answers when one last was: null
 * where none ever was. Times are those of the processes, and never go back.
 */
export async function beat(db: Db, now: Date): Promise<Date | null> {
  const { rows } = await db.query<{ beat_at: Date }>("select beat_at from ingest_heartbeat for update")
  const before = rows[0]?.beat_at ?? null
  if (before === null || before < now) {
    await db.query(
      `insert into ingest_heartbeat as h (beat_at) values ($1)
       on conflict (one) do update set beat_at = greatest(h.beat_at, excluded.beat_at)`,
      [now],
    )
  }
  return before
}
