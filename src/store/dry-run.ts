import type { Link } from "../core/envelope.ts"
import type { Db } from "./database.ts"
import type { StateStamp } from "./entity-states.ts"

/** Which events of the log: received from `since` on and before `until`, and beyond the position `after`. */
export interface LogWindow {
  since: Date
  until?: Date
  after: number
}

/** How many events of a tenant a window holds. */
export async function countWindow(
  db: Db,
  tenant: string,
  { since, until, after }: LogWindow,
): Promise<number> {
  const { rows } = await db.query<{ events: number }>(
    `select count(*) as events from event_log where tenant = $1 and position > $2
       and event_id >= uuidv7_lower_bound($3) and ($4::timestamptz is null or event_id < uuidv7_lower_bound($4))`,
    [tenant, after, since, until ?? null],
  )
  return rows[0]?.events ?? 0
}

/** When the first and the last of a tenant's events of the log were received; null where it has none. */
export async function historyBounds(db: Db, tenant: string): Promise<{ from: Date; to: Date } | null> {
  const { rows } = await db.query<{ from: Date; to: Date }>(
    `select uuidv7_time(first.event_id) as "from", uuidv7_time(last.event_id) as "to"
     from (select event_id from event_log where tenant = $1 order by event_id limit 1) first,
       (select event_id from event_log where tenant = $1 order by event_id desc limit 1) last`,
    [tenant],
  )
  return rows[0] ?? null
}

/** Whether a tenant has events of a type of this name, or of one that goes on from it: `github.pull_request`. */
export async function hasTypeUnder(db: Db, tenant: string, name: string): Promise<boolean> {
  const { rows } = await db.query<{ found: boolean }>(
    `select exists (select from event_log where tenant = $1 and (type = $2 or starts_with(type, $2 || '.'))) as found`,
    [tenant, name],
  )
  return rows[0]?.found === true
}

/** The links that stand and that these rules made of these events. */
export async function linksOfEvents(
  db: Db,
  ids: readonly string[],
  rules: readonly string[],
): Promise<(Link & { eventId: string })[]> {
  if (ids.length === 0 || rules.length === 0) return []
  const { rows } = await db.query<Link & { eventId: string }>(
    `select from_entity as "from", to_entity as "to", relation, rule, rule_version as "ruleVersion", strength,
       confidence, evidence, event_id as "eventId"
     from event_correlations
     where event_id = any($1::uuid[]) and rule = any($2) and known_to = 'infinity'
     order by event_id, from_entity, to_entity, relation, rule`,
    [ids, rules],
  )
  return rows
}

/** Of each of these links the strongest showing that stands by any event but those that are given with it. */
export async function linksShownElsewhere(
  db: Db,
  tenant: string,
  links: readonly { link: Pick<Link, "from" | "to" | "relation" | "rule">; eventIds: readonly string[] }[],
): Promise<Link[]> {
  if (links.length === 0) return []
  const { rows } = await db.query<Link>(
    `select shown.* from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
         as wanted (from_entity, to_entity, relation, rule, event_ids)
       cross join lateral (
         select from_entity as "from", to_entity as "to", relation, rule, rule_version as "ruleVersion", strength,
           confidence, evidence
         from event_correlations c
         where c.tenant = $1 and c.from_entity = wanted.from_entity and c.to_entity = wanted.to_entity
           and c.relation = wanted.relation and c.rule = wanted.rule and c.known_to = 'infinity'
           and c.event_id <> all (string_to_array(wanted.event_ids, ',')::uuid[])
         order by strength, confidence desc, event_id limit 1
       ) shown`,
    [
      tenant,
      links.map(({ link }) => link.from),
      links.map(({ link }) => link.to),
      links.map(({ link }) => link.relation),
      links.map(({ link }) => link.rule),
      links.map(({ eventIds }) => eventIds.join(",")),
    ],
  )
  return rows
}

/** A field of a thing as it stood at a time of its sender's clock. */
export interface StatedField extends StateStamp {
  document: string
  field: string
}

/** Of each of these fields, whether a later state tells of it: then what it showed does not hold any more. */
export async function areSuperseded(
  db: Db,
  tenant: string,
  fields: readonly StatedField[],
): Promise<boolean[]> {
  if (fields.length === 0) return []
  const { rows } = await db.query<{ superseded: boolean }>(
    `select exists (
       select from entity_states s where s.tenant = $1 and s.entity = f.document
         and (s.deleted or s.fields ? f.field) and (s.at, s.tie) > (f.at, f.tie)
     ) as superseded
     from unnest($2::text[], $3::text[], $4::timestamptz[], $5::bytea[]) with ordinality
       as f (document, field, at, tie, ordinal)
     order by f.ordinal`,
    [
      tenant,
      fields.map(({ document }) => document),
      fields.map(({ field }) => field),
      fields.map(({ at }) => at.toISOString()),
      fields.map(({ tie }) => tie),
    ],
  )
  return rows.map(({ superseded }) => superseded)
}
