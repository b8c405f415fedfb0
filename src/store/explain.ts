import type { Link, LoggedEvent, Reference } from "../core/envelope.ts"
import type { KnownNames } from "../core/platform.ts"
import { chunksOf } from "./body-chunks.ts"
import type { AsOf } from "./correlations.ts"
import type { Db } from "./database.ts"
import { findLoggedEvents } from "./logged-events.ts"
import { receivedBy } from "./received-by.ts"
import { teamKeysOf } from "./team-keys.ts"

/** A link that was ever known, with the event that shows it and the one that ended it. */
export interface LinkRecord extends Link {
  eventId: string
  type: string
  title: string | null
  url: string | null
  occurredAt: Date
  knownFrom: Date
  /** When a link of these ends, this relation and this rule was first known; null where none ever was. */
  firstKnown: Date | null
  /** Null while it is known. */
  knownTo: Date | null
  /** The event whose state ended it; null while it is known. */
  endedBy: {
    id: string
    type: string
    title: string | null
    url: string | null
    occurredAt: string
    /** It says that the thing is gone. */
    deleted: boolean
    /** It shows the link as well, so that nothing has changed but the event that holds it. */
    renews: boolean
  } | null
}

const maxLinks = 100
const maxOwnLinks = 5_000
const stands = "(known_to = 'infinity' or known_to > $4)"

/**
 * The links between two things, each by all of its keys, that were known at some time up to `asOf`: 100 of those
 * known then, strong before weak, the surest first; then 100 of those that had ended, strong before weak, the
 * last that ended first.
 */
export async function linksBetween(
  db: Db,
  tenant: string,
  ones: readonly string[],
  others: readonly string[],
  asOf: AsOf,
): Promise<LinkRecord[]> {
  return readRecords(db, tenant, ones, others, asOf, {
    name: "links_between",
    order: `strength, case when not ${stands} then known_to end desc, confidence desc, occurred_at, event_id, rule`,
    limit: maxLinks,
  })
}

/**
 * Those of the links between two things that these events show, however many others show as well: 5,000 of those
 * known at `asOf`, and as many of those that had ended.
 */
export async function linksShownBy(
  db: Db,
  tenant: string,
  ones: readonly string[],
  others: readonly string[],
  asOf: AsOf,
  eventIds: readonly string[],
): Promise<LinkRecord[]> {
  if (eventIds.length === 0) return []
  return readRecords(db, tenant, ones, others, asOf, {
    name: "links_shown_by",
    where: "event_id = any($5::uuid[])",
    values: [eventIds],
    order: "event_id desc, from_entity, to_entity, relation, rule",
    limit: maxOwnLinks,
  })
}

/**
 * The strong link between any of these things and any of those that a later state withdrew up to `asOf`, and
 * that no event shows any more: the one withdrawn last.
 */
export async function withdrawnBetween(
  db: Db,
  tenant: string,
  ones: readonly string[],
  others: readonly string[],
  asOf: AsOf,
): Promise<LinkRecord[]> {
  return readRecords(db, tenant, ones, others, asOf, {
    name: "withdrawn_between",
    where: `strength = 'strong' and not ${stands} and known_to > known_from`,
    order: "known_to desc, confidence desc, event_id, rule",
    limit: 1,
  })
}

interface Selection {
  name: string
  where?: string
  /** Values of `where`, from `$5` on. */
  values?: readonly unknown[]
  order: string
  /** Of the links that stand, and of those that have ended. */
  limit: number
}

async function readRecords(
  db: Db,
  tenant: string,
  ones: readonly string[],
  others: readonly string[],
  asOf: AsOf,
  { name, where = "true", values = [], order, limit }: Selection,
): Promise<LinkRecord[]> {
  const { rows } = await db.query<Omit<LinkRecord, "document"> & { document: string | null }>({
    name,
    text: `select l.from_entity as "from", l.to_entity as "to", l.relation, l.rule, l.rule_version as "ruleVersion",
        l.strength, l.confidence, l.evidence, l.document, l.event_id as "eventId", l.occurred_at as "occurredAt",
        coalesce(e.type, '') as type, e.title, e.url, l.known_from as "knownFrom", l.first_known as "firstKnown",
        case when not ${stands} then l.known_to end as "knownTo", ended.by as "endedBy"
      from (
        select *, row_number() over (partition by ${stands} order by ${order}) as place from (
          select *, min(known_from) filter (where known_to > known_from)
              over (partition by from_entity, to_entity, relation, rule) as first_known
          from event_correlations
          where tenant = $1 and known_from <= $4
            and ((from_entity = any($2) and to_entity = any($3)) or (from_entity = any($3) and to_entity = any($2)))
        ) shown
        where ${where}
      ) l
      left join events e on e.id = l.event_id
      left join lateral (
        select json_build_object('id', s.event_id, 'type', coalesce(w.type, ''), 'title', w.title, 'url', w.url,
          'occurredAt', coalesce(w.occurred_at, s.at), 'deleted', s.deleted,
          'renews', exists (select from event_correlations r where r.event_id = s.event_id and r.rule = l.rule
            and r.from_entity = l.from_entity and r.to_entity = l.to_entity and r.relation = l.relation)) as by
        from entity_states s left join events w on w.id = s.event_id
        where not ${stands} and s.tenant = l.tenant and s.entity = l.document
          and (s.deleted or s.fields ? l.field) and (s.at, s.tie) > (l.stated_at, l.tie) and s.known_from = l.known_to
        order by s.at, s.tie, s.event_id limit 1
      ) ended on true
      where l.place <= ${limit}
      order by ${stands} desc, l.place`,
    values: [tenant, ones, others, asOf ?? "infinity", ...values],
  })
  return rows.map(({ document, ...row }) => (document === null ? row : { ...row, document }))
}

/** When a thing was first heard of, by any of its keys: an event on it, a state, a link or a mention; null if never. */
export async function firstHeardOf(db: Db, tenant: string, keys: readonly string[]): Promise<Date | null> {
  const { rows } = await db.query<{ first: Date | null }>({
    name: "first_heard_of",
    // The ids of events are in the order of their coming.
    text: `select least(
        (select received_at from events where id = (
          select min(event_id::text)::uuid from event_log where tenant = $1 and entity = any($2))),
        (select received_at from events where id = (
          select min(event_id::text)::uuid from event_references where tenant = $1 and entity = any($2))),
        (select min(known_from) from entity_states where tenant = $1 and entity = any($2)),
        (select min(known_from) from event_correlations where tenant = $1 and from_entity = any($2)),
        (select min(known_from) from event_correlations where tenant = $1 and to_entity = any($2))
      ) as first`,
    values: [tenant, keys],
  })
  return rows[0]?.first ?? null
}

const maxKeys = 20

/** The names by which a tenant's texts are read. */
export async function knownNames(db: Db, tenant: string): Promise<KnownNames> {
  const keys = await teamKeysOf(db, [tenant])
  return keys.length === 0 ? {} : { teamKeys: new Set(keys.map(({ key }) => key)) }
}

/** The keys of one thing, itself first: those that `same_as` ties to it, over one key between; 20 at most. */
export async function keysOfThing(db: Db, tenant: string, entity: string, asOf: AsOf): Promise<string[]> {
  const keys = new Set([entity])
  let latest = [entity]
  for (let step = 0; step < 2 && latest.length > 0; step++) {
    const { rows } = await db.query<{ key: string }>({
      name: "same_things",
      text: `select to_entity as key from event_correlations
          where tenant = $1 and from_entity = any($2) and relation = 'same_as' and strength = 'strong'
            and known_from <= $3 and (known_to = 'infinity' or known_to > $3)
        union
        select from_entity from event_correlations
          where tenant = $1 and to_entity = any($2) and relation = 'same_as' and strength = 'strong'
            and known_from <= $3 and (known_to = 'infinity' or known_to > $3)
        order by key limit ${maxKeys}`,
      values: [tenant, latest, asOf ?? "infinity"],
    })
    latest = rows.map(({ key }) => key).filter((key) => !keys.has(key))
    for (const key of latest.slice(0, maxKeys - keys.size)) keys.add(key)
  }
  return [...keys]
}

const maxReferences = 50
const maxReferencesRead = 10_000

/** References from one thing to another, as events show them up to `asOf`; 50 at most, the earliest first. */
export async function referencesBetween(
  db: Db,
  tenant: string,
  ones: readonly string[],
  others: readonly string[],
  asOf: AsOf,
): Promise<(Reference & { subject: string; eventId: string })[]> {
  const { rows } = await db.query<Reference & { subject: string; eventId: string }>({
    name: "references_between",
    text: `select r.event_id as "eventId", coalesce(r.subject, e.entity) as subject, r.entity, r.relation, r.evidence
      from (select * from event_references where tenant = $1 and entity = any($3) limit ${maxReferencesRead}) r
      join events e on e.id = r.event_id
      where coalesce(r.subject, e.entity) = any($2) and e.received_at <= $4
      order by e.occurred_at, r.event_id, r.ordinal limit ${maxReferences}`,
    values: [tenant, ones, others, asOf ?? "infinity"],
  })
  return rows
}

/** Whether a thing was reverted (`to`), or reverts something (`from`); 10 edges at most. */
export async function revertsAt(
  db: Db,
  tenant: string,
  keys: readonly string[],
  asOf: AsOf,
): Promise<{ from: string; to: string; eventId: string }[]> {
  const { rows } = await db.query<{ from: string; to: string; eventId: string }>({
    name: "reverts_at",
    text: `select from_entity as "from", to_entity as "to", min(event_id::text) as "eventId" from event_correlations
      where tenant = $1 and (from_entity = any($2) or to_entity = any($2)) and relation = 'reverts'
        and known_from <= $3 and (known_to = 'infinity' or known_to > $3)
      group by 1, 2 order by 1, 2 limit 10`,
    values: [tenant, keys, asOf ?? "infinity"],
  })
  return rows
}

/** Events that tell of a thing, newest first, bodies included; `complete` where those are all. */
export interface EventsOfThing {
  events: LoggedEvent[]
  complete: boolean
}

const maxLinksRead = 300

/**
 * Events about a thing and events that show its links, received up to `asOf`: at most `limit`, and 16 MiB of
 * bodies. Of the links of each of its keys the 300 latest known are looked at, at either end.
 */
export async function eventsOfThing(
  db: Db,
  tenant: string,
  keys: readonly string[],
  { asOf, limit }: { asOf: AsOf; limit: number },
): Promise<EventsOfThing> {
  // Key by key, since only so the indexes give the newest of each and no more than are wanted.
  const showing = (end: string): string => `select shown.* from unnest($2::text[]) as key (entity)
        cross join lateral (
          select event_id, count(*) over () = ${maxLinksRead} as cut from (
            select event_id from event_correlations
            where tenant = $1 and ${end} = key.entity ${asOf === null ? "" : "and known_from <= $4"}
            order by known_from desc limit ${maxLinksRead}
          ) newest
        ) shown`
  const { rows } = await db.query<{ eventId: string; position: number; bytes: number; cut: boolean }>({
    name: `events_of_thing_${asOf === null ? "now" : "then"}`,
    text: `select l.event_id as "eventId", l.position, octet_length(e.raw) as bytes, about.cut
      from (
        select event_id, bool_or(cut) as cut from (
          select own.event_id, false as cut from unnest($2::text[]) as key (entity)
          cross join lateral (
            select event_id from event_log
            where tenant = $1 and entity = key.entity ${asOf === null ? "" : `and ${receivedBy(4)}`}
            order by occurred_at desc, tie desc, position desc limit $3
          ) own
          union all ${showing("from_entity")}
          union all ${showing("to_entity")}
        ) told group by event_id
      ) about
      join event_log l on l.event_id = about.event_id
      join events e on e.id = about.event_id
      order by l.occurred_at desc, l.tie desc, l.position desc limit $3`,
    values: [tenant, keys, limit + 1, ...(asOf === null ? [] : [asOf])],
  })
  const read = chunksOf(rows.slice(0, limit))[0] ?? []
  return {
    events: await findLoggedEvents(db, read, { payload: true }),
    complete: read.length === rows.length && !rows.some(({ cut }) => cut),
  }
}
