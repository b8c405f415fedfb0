import type { EntityState } from "../core/envelope.ts"
import { known, type AsOf } from "./correlations.ts"
import type { Db } from "./database.ts"
import { receivedBy } from "./received-by.ts"

/** A field as its latest state tells it. */
export interface FieldView {
  value: EntityState["fields"][string]
  /** When it stood so, by the sender's clock. */
  at: Date
  /** The event that tells of it. */
  eventId: string
}

/** All that is known of how a thing stands. */
export interface EntityView {
  /** The thing's other keys, sorted. */
  aliases: readonly string[]
  /** By name, in its order. */
  fields: Readonly<Record<string, FieldView>>
  /** When the thing was deleted, by the sender's clock; null where it was not. */
  deletedAt: Date | null
  /** When the first and the last event on it happened, by the sender's clock; null where none is known. */
  firstSeenAt: Date | null
  lastSeenAt: Date | null
}

const maxAliases = 50
/** States read of each key, newest first: what none of them tells of is left out. */
const maxStates = 500

/**
 * A thing's state, merged field by field: of those states that have the field, under any of the thing's
 * keys, the one with the greatest (at, tie) tells. So it does not depend on the order in which they came.
 */
export async function entityView(
  db: Db,
  tenant: string,
  entity: string,
  asOf: AsOf = null,
): Promise<EntityView> {
  const keys = await keysOf(db, tenant, entity, asOf)
  const fields = await latestFields(db, tenant, keys, asOf)
  const ends = await endsOf(db, tenant, keys, asOf)
  const seen = await eventsOf(db, tenant, keys, asOf)
  return {
    aliases: keys.filter((key) => key !== entity).toSorted(),
    fields,
    deletedAt: ends.deleted === true ? ends.deletedAt : null,
    firstSeenAt: seen.first ?? ends.first,
    lastSeenAt: seen.last ?? ends.last,
  }
}

/** The thing's keys, the given one among them: whatever `same_as` ties to it, over however many steps. */
async function keysOf(db: Db, tenant: string, entity: string, asOf: AsOf): Promise<string[]> {
  const steps = [
    ["from_entity", "to_entity"],
    ["to_entity", "from_entity"],
  ].map(
    ([own, other]) => `select ${other} as other from event_correlations
        where tenant = $1 and ${own} = key.entity and strength = 'strong' and relation = 'same_as'
          and ${known(asOf, 4)}`,
  )
  const { rows } = await db.query<{ entity: string }>({
    name: `keys_of_entity_${nowOrThen(asOf)}`,
    text: `with recursive key (entity) as (
        select $2::text
        union
        select near.other from key cross join lateral (select distinct other from (
          ${steps.join(" union all ")}
        ) as either) as near
      ) select entity from key limit $3`,
    values: [tenant, entity, maxAliases, ...(asOf === null ? [] : [asOf])],
  })
  return rows.map((row) => row.entity)
}

/** The newest states of each of the keys `$2`, at most `$3` of each. */
function states(asOf: AsOf): string {
  return `select state.* from unnest($2::text[]) as key (entity) cross join lateral (
      select event_id, at, tie, fields, deleted from entity_states
      where tenant = $1 and entity = key.entity ${asOf === null ? "" : "and known_from <= $4"}
      order by at desc, tie desc limit $3
    ) as state`
}

async function latestFields(
  db: Db,
  tenant: string,
  keys: readonly string[],
  asOf: AsOf,
): Promise<EntityView["fields"]> {
  const { rows } = await db.query<FieldView & { name: string }>({
    name: `fields_of_entity_${nowOrThen(asOf)}`,
    text: `select distinct on (field.key) field.key as name, field.value, state.at, state.event_id as "eventId"
      from (${states(asOf)}) as state cross join lateral jsonb_each(state.fields) as field
      order by field.key, state.at desc, state.tie desc, state.event_id`,
    values: [tenant, keys, maxStates, ...(asOf === null ? [] : [asOf])],
  })
  return Object.fromEntries(rows.map(({ name, ...field }) => [name, field]))
}

interface Ends {
  first: Date | null
  last: Date | null
}

interface States extends Ends {
  /** Whether the last state says that the thing is gone, and when the last one was that says so. */
  deleted: boolean | null
  deletedAt: Date | null
}

/** When the first and the last state were, but for the one at the end of all times of what is deleted for good. */
async function endsOf(db: Db, tenant: string, keys: readonly string[], asOf: AsOf): Promise<States> {
  const { rows } = await db.query<States>({
    name: `ends_of_entity_${nowOrThen(asOf)}`,
    text: `select min(at) as first, max(at) filter (where isfinite(at)) as last,
        (array_agg(deleted order by at desc, tie desc))[1] as deleted,
        max(at) filter (where deleted and isfinite(at)) as "deletedAt"
      from (${states(asOf)}) as state`,
    values: [tenant, keys, maxStates, ...(asOf === null ? [] : [asOf])],
  })
  return rows[0] ?? { first: null, last: null, deleted: null, deletedAt: null }
}

/** When the first and the last event on the thing happened; each is one look at an index. */
async function eventsOf(db: Db, tenant: string, keys: readonly string[], asOf: AsOf): Promise<Ends> {
  const [first, last] = ["asc", "desc"].map(
    (direction) => `(select occurred_at from event_log where tenant = $1 and entity = key.entity
        ${asOf === null ? "" : `and ${receivedBy(3)}`}
        order by occurred_at ${direction} limit 1)`,
  )
  const { rows } = await db.query<Ends>({
    name: `events_of_entity_${nowOrThen(asOf)}`,
    text: `select min(${first}) as first, max(${last}) as last from unnest($2::text[]) as key (entity)`,
    values: [tenant, keys, ...(asOf === null ? [] : [asOf])],
  })
  return rows[0] ?? { first: null, last: null }
}

function nowOrThen(asOf: AsOf): string {
  return asOf === null ? "now" : "then"
}
