import type { Db } from "./database.ts"
import type { SourceKey } from "./gaps.ts"
import { jsonRow, jsonRows } from "./json-rows.ts"

/** Something that happened to an entity, as an event of the log tells it. */
export interface Happening {
  entity: string
  name: string
  since: Date
  until: Date | null
}

/** The events of a source that have these states (see Identity). */
export async function eventsOfStates(
  db: Db,
  { tenant, platform, name }: SourceKey,
  states: readonly string[],
): Promise<Map<string, string>> {
  if (states.length === 0) return new Map()
  const { rows } = await db.query<{ state: string; eventId: string }>(
    `select state, event_id as "eventId" from event_states
     where tenant = $1 and platform = $2 and source = $3 and state = any($4::text[])`,
    [tenant, platform, name, states],
  )
  return new Map(rows.map(({ state, eventId }) => [state, eventId]))
}

/**
 * Which of these happenings an event of the source tells, by their index, and which event. Events that
 * were made of other records do not count: whether two records are one must not hang on the order in
 * which they were found.
 */
export async function eventsOfHappenings(
  db: Db,
  sourceId: string,
  { tenant, platform, name }: SourceKey,
  happenings: readonly Happening[],
): Promise<Map<number, string>> {
  if (happenings.length === 0) return new Map()
  const rows = happenings.map((happening, index) => jsonRow({ index, ...happening }))
  const found = await db.query<{ index: number; eventId: string }>(
    `select x.index, told.event_id as "eventId"
     from jsonb_to_recordset($5::jsonb) as x (index integer, entity text, name text, since timestamptz, until timestamptz)
     cross join lateral (
       select l.event_id from event_log l
       where l.tenant = $2 and l.entity = x.entity and l.occurred_at >= x.since
         and l.occurred_at <= coalesce(x.until, 'infinity') and l.name = x.name
         and l.platform = $3 and l.source = $4
         and not exists (select from events e join source_gaps g on g.key = e.delivery_id
           where e.id = l.event_id and e.backfilled and g.source_id = $1 and g.kind = 'record')
       order by l.occurred_at limit 1) told`,
    [sourceId, tenant, platform, name, jsonRows(rows)],
  )
  return new Map(found.rows.map(({ index, eventId }) => [index, eventId]))
}

/** The distinct values of these headers among the latest events of a source, with the time of the newest. */
export async function headerSightings(
  db: Db,
  { tenant, platform, name }: SourceKey,
  headers: readonly string[],
): Promise<{ headers: Record<string, string>; lastSeenAt: Date }[]> {
  const { rows } = await db.query<{ headers: Record<string, string>; lastSeenAt: Date }>(
    `select told as headers, max(received_at) as "lastSeenAt"
     from (select received_at, (select coalesce(jsonb_object_agg(key, value), '{}')
             from jsonb_each_text(headers) where key = any($4::text[])) as told
           from (select headers, received_at from events
             where tenant = $1 and platform = $2 and source = $3 and not backfilled
             order by id desc limit 5000) latest) seen
     where told <> '{}'
     group by told order by 2 desc limit 100`,
    [tenant, platform, name, headers],
  )
  return rows
}
