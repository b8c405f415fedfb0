import { uuidv7 } from "../core/uuid.ts"
import type { Db } from "./database.ts"
import { jsonRow, jsonRows } from "./json-rows.ts"

/** Where a source's events are told apart. */
export interface SourceKey {
  tenant: string
  platform: string
  name: string
}

/** A hole as a sweep finds it. */
export interface NewGap {
  key: string
  reason: string
  startedAt: Date
  handle: string | null
}

/** A delivery that did not come, and what was tried. */
export interface DeliveryGap {
  id: string
  key: string
  handle: string
  attempts: number
  state: "open" | "requested"
}

/** What became of a gap. */
export interface GapOutcome {
  key: string
  state: "repaired" | "lost"
  eventId: string | null
  note: string | null
}

type Swept = "delivery" | "record"

/**
 * Notes holes, each once. One that is known takes the latest name and reason that the provider has for
 * it, and its earliest time; one that was given up on is open again, since the provider still has it.
 */
export async function recordGaps(
  db: Db,
  source: { sourceId: string; tenant: string },
  kind: Swept,
  gaps: readonly NewGap[],
): Promise<void> {
  if (gaps.length === 0) return
  await db.query(
    `insert into source_gaps as g (id, source_id, tenant, kind, key, reason, started_at, handle, state)
     select x.id, $1, $2, $3, x.key, x.reason, x.started_at, x.handle, 'open'
     from jsonb_to_recordset($4::jsonb) as x (id uuid, key text, reason text, started_at timestamptz, handle text)
     order by x.key
     on conflict (source_id, kind, key) do update set reason = excluded.reason, handle = excluded.handle,
       started_at = least(g.started_at, excluded.started_at),
       state = case when g.state = 'lost' then 'open' else g.state end, note = null, settled_at = null
     where g.state <> 'repaired'`,
    [source.sourceId, source.tenant, kind, jsonRows(gaps.map(gapRow))],
  )
}

function gapRow({ key, reason, startedAt, handle }: NewGap): string {
  return jsonRow({ id: uuidv7(), key, reason, started_at: startedAt, handle })
}

/** The events of a source that have these delivery keys. */
export async function eventsOfKeys(
  db: Db,
  { tenant, platform, name }: SourceKey,
  keys: readonly string[],
): Promise<Map<string, string>> {
  if (keys.length === 0) return new Map()
  const { rows } = await db.query<{ key: string; eventId: string }>(
    `select delivery_id as key, event_id as "eventId" from event_keys
     where tenant = $1 and platform = $2 and source = $3 and delivery_id = any($4::text[])`,
    [tenant, platform, name, keys],
  )
  return new Map(rows.map(({ key, eventId }) => [key, eventId]))
}

/** Settles every gap of a source whose delivery key has come in meanwhile, lost ones too. */
export async function settleArrived(
  db: Db,
  sourceId: string,
  { tenant, platform, name }: SourceKey,
  now: Date,
): Promise<void> {
  await db.query(
    `update source_gaps g set state = 'repaired', event_id = k.event_id, settled_at = $5, note = null
     from event_keys k
     where g.source_id = $1 and g.state <> 'repaired' and g.kind in ('delivery', 'record')
       and k.tenant = $2 and k.platform = $3 and k.source = $4 and k.delivery_id = g.key`,
    [sourceId, tenant, platform, name, now],
  )
}

/** Deliveries of a source that are still missing, oldest first. */
export async function missingDeliveries(db: Db, sourceId: string, limit: number): Promise<DeliveryGap[]> {
  const { rows } = await db.query<DeliveryGap>(
    `select id, key, handle, attempts, state from source_gaps
     where source_id = $1 and kind = 'delivery' and state in ('open', 'requested')
     order by started_at, id limit $2`,
    [sourceId, limit],
  )
  return rows
}

/** Counts an attempt at a delivery, which was asked for again. */
export async function countRequest(db: Db, gapId: string, now: Date): Promise<void> {
  await db.query(
    `update source_gaps set state = 'requested', attempts = attempts + 1, requested_at = $2
     where id = $1 and state in ('open', 'requested')`,
    [gapId, now],
  )
}

/** Writes down what became of gaps; a repaired one stays as it is. */
export async function settleGaps(
  db: Db,
  sourceId: string,
  kind: Swept,
  outcomes: readonly GapOutcome[],
  now: Date,
): Promise<void> {
  if (outcomes.length === 0) return
  const rows = outcomes.map(({ key, state, eventId, note }) =>
    jsonRow({ key, state, event_id: eventId, note }),
  )
  await db.query(
    `update source_gaps g set state = x.state, event_id = x.event_id, note = x.note, settled_at = $4
     from jsonb_to_recordset($3::jsonb) as x (key text, state text, event_id uuid, note text)
     where g.source_id = $1 and g.kind = $2 and g.key = x.key and g.state <> 'repaired'`,
    [sourceId, kind, jsonRows(rows), now],
  )
}

/** Those of these keys whose gaps are repaired. */
export async function repairedGaps(
  db: Db,
  sourceId: string,
  kind: Swept,
  keys: readonly string[],
): Promise<Set<string>> {
  if (keys.length === 0) return new Set()
  const { rows } = await db.query<{ key: string }>(
    `select key from source_gaps
     where source_id = $1 and kind = $2 and key = any($3::text[]) and state = 'repaired'`,
    [sourceId, kind, keys],
  )
  return new Set(rows.map(({ key }) => key))
}

/**
 * Settles outages of a source that lie within what is known to be complete: repaired where nothing of
 * their time is missing any more, lost where something is lost; the rest stays open.
 */
export async function settleOutages(db: Db, sourceId: string, now: Date): Promise<void> {
  await db.query(
    `update source_gaps o set settled_at = $2,
       state = case when within.lost > 0 then 'lost' else 'repaired' end,
       note = case when within.lost > 0 then format('%s of its time are lost', within.lost) end
     from source_gaps same
     cross join lateral (
       select count(*) filter (where g.state = 'lost') as lost,
         count(*) filter (where g.state in ('open', 'requested')) as open
       from source_gaps g
       where g.source_id = same.source_id and g.kind <> 'outage' and g.state <> 'repaired'
         and g.started_at between same.started_at and same.ended_at) within
     where same.id = o.id and o.source_id = $1 and o.kind = 'outage' and o.state <> 'repaired'
       and within.open = 0
       and exists (select from source_completeness c where c.source_id = o.source_id
         and o.started_at >= c.complete_from and o.ended_at <= c.complete_through)`,
    [sourceId, now],
  )
}
