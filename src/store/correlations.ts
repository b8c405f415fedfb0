import type { Link } from "../core/envelope.ts"
import type { Db } from "./database.ts"

/** An edge of the graph, whatever number of events show it. */
export interface Edge {
  from: string
  to: string
  relation: string
}

/** A link as one event shows it. */
export interface LinkEvidence extends Link {
  eventId: string
  occurredAt: Date
}

/** A link as seen from one of its ends. */
export interface DirectedLink extends LinkEvidence {
  /** `out` where the entity is `from`. */
  direction: "out" | "in"
}

/** Where a page of links ended: what its last link is sorted by. */
export interface LinkCursor {
  direction: "out" | "in"
  strength: "strong" | "weak"
  /** The far end. */
  other: string
  relation: string
  rule: string
  eventId: string
}

/**
 * What was known: now where null, else at that time of our clock. A link is known from the event that shows
 * it to the event that tells of its field's later state without it.
 */
export type AsOf = Date | null

/** Whether a link was known, in SQL, with the time as the parameter `$n`; which stands for nothing where it is now. */
export function known(asOf: AsOf, n: number): string {
  return asOf === null ? "known_to = 'infinity'" : `known_from <= $${n} and known_to > $${n}`
}

const columns = `from_entity as "from", to_entity as "to", relation, rule, rule_version as "ruleVersion",
  strength, confidence, evidence, event_id as "eventId", occurred_at as "occurredAt"`

/** Whether anything at all is known of an entity: an event about it, a state, a link or a mention. */
export async function isKnownEntity(db: Db, tenant: string, entity: string): Promise<boolean> {
  const { rows } = await db.query<{ known: boolean }>({
    name: "is_known_entity",
    text: `select exists (select from event_log where tenant = $1 and entity = $2)
      or exists (select from entity_states where tenant = $1 and entity = $2)
      or exists (select from event_correlations where tenant = $1 and from_entity = $2)
      or exists (select from event_correlations where tenant = $1 and to_entity = $2)
      or exists (select from event_references where tenant = $1 and entity = $2) as known`,
    values: [tenant, entity],
  })
  return rows[0]?.known === true
}

const sections = [
  { direction: "out", strength: "strong" },
  { direction: "out", strength: "weak" },
  { direction: "in", strength: "strong" },
  { direction: "in", strength: "weak" },
] as const

/**
 * Every link from and to an entity with the events that show it: those from it first, strong before
 * weak, the evidence of one edge together. At most `limit`, from after `cursor`.
 */
export async function linksOf(
  db: Db,
  tenant: string,
  entity: string,
  { limit, cursor = null, asOf = null }: { limit: number; cursor?: LinkCursor | null; asOf?: AsOf },
): Promise<{ links: DirectedLink[]; nextCursor: LinkCursor | null }> {
  const links: DirectedLink[] = []
  const begun = cursor === null ? 0 : sections.findIndex((section) => isIn(section, cursor))
  for (const section of sections.slice(begun)) {
    const after = cursor !== null && isIn(section, cursor) ? cursor : null
    links.push(...(await linksIn(db, tenant, entity, section, after, asOf, limit + 1 - links.length)))
    if (links.length > limit) break
  }
  const page = links.slice(0, limit)
  const last = page.at(-1)
  return { links: page, nextCursor: links.length > limit && last !== undefined ? cursorAt(last) : null }
}

type Section = Pick<LinkCursor, "direction" | "strength">

function isIn(section: Section, { direction, strength }: Section): boolean {
  return section.direction === direction && section.strength === strength
}

async function linksIn(
  db: Db,
  tenant: string,
  entity: string,
  { direction, strength }: Section,
  after: LinkCursor | null,
  asOf: AsOf,
  limit: number,
): Promise<DirectedLink[]> {
  const [own, other] = direction === "out" ? ["from_entity", "to_entity"] : ["to_entity", "from_entity"]
  const place = `${other}, relation, rule, event_id`
  const { rows } = await db.query<LinkEvidence>({
    name: `links_${direction}_${after === null ? "first" : "next"}_${asOf === null ? "now" : "then"}`,
    text: `select ${columns} from event_correlations
      where tenant = $1 and ${own} = $2 and strength = $3 and ${known(asOf, after === null ? 5 : 9)}
        ${after === null ? "" : `and (${place}) > ($5, $6, $7, $8)`}
      order by ${place} limit $4`,
    values: [
      tenant,
      entity,
      strength,
      limit,
      ...(after === null ? [] : [after.other, after.relation, after.rule, after.eventId]),
      ...(asOf === null ? [] : [asOf]),
    ],
  })
  return rows.map((row) => ({ ...row, direction }))
}

function cursorAt({ direction, strength, relation, from, to, rule, eventId }: DirectedLink): LinkCursor {
  return { direction, strength, other: direction === "out" ? to : from, relation, rule, eventId }
}

/** One neighbour of one entity. */
export interface Neighbour extends Edge {
  /** The entity whose neighbour it is: `from` or `to`. */
  at: string
}

/**
 * Distinct strong edges at each of `entities`, in their order, outgoing before incoming, at most
 * `limit` of each kind an entity. Reads the two edge indexes and nothing else.
 */
export async function strongEdges(
  db: Db,
  tenant: string,
  entities: readonly string[],
  limit: number,
  asOf: AsOf = null,
): Promise<Neighbour[]> {
  const { rows } = await db.query<Neighbour>({
    name: `strong_edges_${asOf === null ? "now" : "then"}`,
    text: `select near.entity as at, edge."from", edge."to", edge.relation
      from unnest($2::text[]) with ordinality as near (entity, ordinal)
      cross join lateral (
        (select distinct 1 as side, relation, to_entity as other, near.entity as "from", to_entity as "to"
          from event_correlations
          where tenant = $1 and from_entity = near.entity and strength = 'strong' and ${known(asOf, 4)}
          order by to_entity, relation limit $3)
        union all
        (select distinct 2, relation, from_entity, from_entity, near.entity
          from event_correlations
          where tenant = $1 and to_entity = near.entity and strength = 'strong' and ${known(asOf, 4)}
          order by from_entity, relation limit $3)
      ) as edge
      order by near.ordinal, edge.side, edge.other, edge.relation`,
    values: [tenant, entities, limit, ...(asOf === null ? [] : [asOf])],
  })
  return rows
}

/**
 * The evidence for strong edges: for each edge and rule the surest event, and of equals the earliest.
 * In the order of `edges`.
 */
export async function evidenceOf(
  db: Db,
  tenant: string,
  edges: readonly Edge[],
  asOf: AsOf = null,
): Promise<LinkEvidence[]> {
  if (edges.length === 0) return []
  const { rows } = await db.query<LinkEvidence>({
    name: `evidence_of_edges_${asOf === null ? "now" : "then"}`,
    text: `select shown.* from unnest($2::text[], $3::text[], $4::text[]) with ordinality
        as edge (from_entity, to_entity, relation, ordinal)
      cross join lateral (
        select distinct on (rule) ${columns} from event_correlations as link
        where link.tenant = $1 and link.strength = 'strong' and link.from_entity = edge.from_entity
          and link.to_entity = edge.to_entity and link.relation = edge.relation and ${known(asOf, 5)}
        order by rule, confidence desc, occurred_at, evidence, tie, event_id
      ) as shown
      order by edge.ordinal, shown.confidence desc, shown.rule`,
    values: [
      tenant,
      edges.map(({ from }) => from),
      edges.map(({ to }) => to),
      edges.map(({ relation }) => relation),
      ...(asOf === null ? [] : [asOf]),
    ],
  })
  return rows
}
