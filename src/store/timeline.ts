import type { LoggedEvent } from "../core/envelope.ts"
import { chunksOf } from "./body-chunks.ts"
import { evidenceOf, type AsOf, type Edge, type LinkEvidence } from "./correlations.ts"
import { readBoth, type Db } from "./database.ts"
import { findLoggedEvents } from "./logged-events.ts"
import { receivedBy } from "./received-by.ts"
import { edgeKey, reach, type ReachLimits } from "./reach.ts"

/** An event's place in a timeline: by the sender's clock, then as the tie of the event at this position says. */
export interface TimelineCursor {
  /** As PostgreSQL writes it in UTC: `2026-11-21 10:00:00.123456+00`. */
  at: string
  position: number
}

/** An event of a timeline with the links that tie it to the entity asked for, from there on. */
export interface TimelineEvent {
  event: LoggedEvent
  /** The same list for each event of one entity. */
  via: readonly LinkEvidence[]
}

/** One page of a timeline. */
export interface Timeline {
  events: TimelineEvent[]
  /** Every strong link among what this page is about, by each rule that made it. */
  links: LinkEvidence[]
  nextCursor: TimelineCursor | null
  /** Whether more is linked than a walk follows. */
  truncated: boolean
}

export interface TimelineOptions {
  limit: number
  cursor?: TimelineCursor | null
  /** Whether bodies are read (true). */
  payload?: boolean
  /** Shows what was known at that time; now where null. */
  asOf?: AsOf
  limits?: ReachLimits
}

const maxEdges = 2_000

/**
 * Every event about every entity that strong links reach from this one, in the order in which things
 * happened by their senders' clocks, and with the evidence that ties them in. A page ends before
 * `limit` where its bodies would pass 16 MiB.
 */
export async function timeline(
  db: Db,
  tenant: string,
  entity: string,
  { limit, cursor = null, payload = true, asOf = null, limits }: TimelineOptions,
): Promise<Timeline> {
  const { entities, edges, truncated } = await reach(db, tenant, entity, { ...limits, asOf })
  const [, places] = await readBoth(
    db,
    () => readInOrder(db),
    () => placesOf(db, tenant, [...entities.keys()], cursor, limit + 1, asOf),
  )
  const listed = places.slice(0, limit)
  const page = payload ? (chunksOf(listed)[0] ?? []) : listed
  const last = page.at(-1)
  const paths = new Map(page.map((place) => [place.entity, entities.get(place.entity) ?? []]))
  const [events, links] = await readBoth(
    db,
    () => findLoggedEvents(db, page, { payload }),
    () => evidenceOf(db, tenant, edgesOfPage([...paths], edges), asOf),
  )
  const surest = surestByEdge(links)
  const ways = new Map(
    [...paths].map(([at, path]) => [
      at,
      path.map((edge) => surest.get(edgeKey(edge))).filter((step) => step !== undefined),
    ]),
  )
  const entityOf = new Map(page.map((place) => [place.eventId, place.entity]))
  return {
    events: events.map((event) => ({ event, via: ways.get(entityOf.get(event.id) ?? "") ?? [] })),
    links,
    nextCursor:
      places.length > page.length && last !== undefined ? { at: last.at, position: last.position } : null,
    truncated,
  }
}

interface Place extends TimelineCursor {
  eventId: string
  entity: string
  /** Size of the body. */
  bytes: number
}

// Entity by entity, since only so the index gives each one's events in order and no more than a page.
async function placesOf(
  db: Db,
  tenant: string,
  entities: readonly string[],
  after: TimelineCursor | null,
  limit: number,
  asOf: AsOf,
): Promise<Place[]> {
  const { rows } = await db.query<Place>({
    name: `timeline_${after === null ? "first" : "next"}_${asOf === null ? "now" : "then"}`,
    text: `select place.event_id as "eventId", near.entity, place.position,
        place.occurred_at::text as at, place.bytes
      from unnest($2::text[]) as near (entity)
      cross join lateral (
        select event_id, position, occurred_at, tie, bytes from event_log
        where tenant = $1 and entity = near.entity
        ${
          after === null
            ? ""
            : `and (occurred_at, tie, position) > ($4::timestamptz,
          coalesce((select last.tie from event_log last where last.position = $5), 0), $5::bigint)`
        }
        ${asOf === null ? "" : `and ${receivedBy(after === null ? 4 : 6)}`}
        order by occurred_at, tie, position limit $3
      ) as place
      order by place.occurred_at, place.tie, place.position limit $3`,
    values: [
      tenant,
      entities,
      limit,
      ...(after === null ? [] : [after.at, after.position]),
      ...(asOf === null ? [] : [asOf]),
    ],
  })
  return rows
}

/**
 * Lets the rest of the transaction take what an index has in order rather than sort it. The planner
 * takes every entity for an average one, of few events, and would sort all that a repository ever had.
 * Where it must sort after all, the price it puts on that would have the query compiled first.
 */
async function readInOrder(db: Db): Promise<void> {
  await db.query(
    `select set_config('enable_sort', 'off', true), set_config('enable_seqscan', 'off', true),
       set_config('jit', 'off', true)`,
  )
}

/** The edges on the ways to these events, and all others among the same entities, up to a bound. */
function edgesOfPage(
  paths: readonly (readonly [entity: string, path: readonly Edge[]])[],
  edges: readonly Edge[],
): Edge[] {
  const ways = new Map(paths.flatMap(([, path]) => path).map((edge) => [edgeKey(edge), edge]))
  const ends = new Set(paths.map(([entity]) => entity))
  for (const { from, to } of ways.values()) ends.add(from).add(to)
  for (const edge of edges) {
    if (ways.size >= maxEdges) break
    if (ends.has(edge.from) && ends.has(edge.to)) ways.set(edgeKey(edge), edge)
  }
  return [...ways.values()]
}

/** Of the links of an edge, which come surest first, the first. */
function surestByEdge(links: readonly LinkEvidence[]): Map<string, LinkEvidence> {
  const surest = new Map<string, LinkEvidence>()
  for (const link of links) if (!surest.has(edgeKey(link))) surest.set(edgeKey(link), link)
  return surest
}
