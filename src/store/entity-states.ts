import { hash } from "node:crypto"
import type { EntityState, StoredEvent } from "../core/envelope.ts"
import type { Db } from "./database.ts"
import { jsonRow, jsonRows } from "./json-rows.ts"

/** What decides between two states of one field: the later `at`, and of equals the greater `tie`. */
export interface StateStamp {
  at: Date
  /** As PostgreSQL reads it: `\x…`. The same for the same body, whenever and however often that came. */
  tie: string
}

/** The stamp of a state that an event shows. */
export function stampOf(event: Pick<StoredEvent, "raw">, { at }: EntityState): StateStamp {
  return { at, tie: `\\x${hash("sha256", event.raw).slice(0, 32)}` }
}

/** A state that an event shows, as a row for `insertStates`. */
export function stateRow(event: StoredEvent, state: EntityState): string {
  const { entity, fields, deleted = false } = state
  const { at, tie } = stampOf(event, state)
  return jsonRow({
    tenant: event.tenant,
    entity,
    event_id: event.id,
    at,
    tie,
    fields,
    deleted,
    known_from: event.receivedAt,
  })
}

/** Inserts states; of two of one thing from one event the first stays. */
export async function insertStates(db: Db, rows: readonly string[]): Promise<void> {
  await db.query({
    name: "insert_states",
    text: `insert into entity_states (tenant, entity, event_id, at, tie, fields, deleted, known_from)
      select tenant, entity, event_id, at, tie, fields, deleted, known_from
      from jsonb_populate_recordset(null::entity_states, $1::jsonb)
      on conflict (tenant, entity, event_id) do nothing`,
    values: [jsonRows(rows)],
  })
}

const linkKey = "event_id, from_entity, to_entity, relation, rule"
const sameLink = linkKey
  .split(", ")
  .map((column) => `c.${column} = ended.${column}`)
  .join(" and ")
const tellsLater = `s.tenant = l.tenant and s.entity = l.document and (s.deleted or s.fields ? l.field)
  and (s.at, s.tie) > (l.stated_at, l.tie)`
const endings = `select ${linkKey
  .split(", ")
  .map((column) => `l.${column}`)
  .join(", ")}, min(s.known_from) as known_to`

/**
 * Ends what is known by links whose field a later state says otherwise: links that stood before these
 * events, and links that these events show late. To be run where no other transaction writes states (see
 * `appendToLog`): two that do not see each other's would both let a link stand.
 */
export async function settleLinks(db: Db, eventIds: readonly string[]): Promise<void> {
  await db.query({
    name: "settle_links",
    text: `update event_correlations c set known_to = ended.known_to
      from (
        select ${linkKey}, min(known_to) as known_to from (
          ${endings} from entity_states s join event_correlations l
              on ${tellsLater} and l.known_to > s.known_from
            where s.event_id = any($1::uuid[]) group by 1, 2, 3, 4, 5
          union all
          ${endings} from event_correlations l join entity_states s on ${tellsLater}
            where l.event_id = any($1::uuid[]) and l.document is not null group by 1, 2, 3, 4, 5
        ) as either group by 1, 2, 3, 4, 5
      ) as ended
      where ${sameLink} and c.known_to > ended.known_to`,
    values: [eventIds],
  })
}

/** A thing of a tenant. */
export interface Document {
  tenant: string
  entity: string
}

/** The things of which these events tell. */
export async function documentsOf(db: Db, eventIds: readonly string[]): Promise<Document[]> {
  const { rows } = await db.query<Document>({
    name: "documents_of_events",
    text: `select distinct tenant, entity from entity_states where event_id = any($1::uuid[])`,
    values: [eventIds],
  })
  return rows
}

/**
 * Settles every link of these things from the beginning, since states that ended some may be gone. Under
 * the same condition as `settleLinks`.
 */
export async function resettleLinks(db: Db, documents: readonly Document[]): Promise<void> {
  if (documents.length === 0) return
  await db.query({
    name: "resettle_links",
    text: `update event_correlations c set known_to = ended.known_to
      from (
        select ${linkKey
          .split(", ")
          .map((column) => `l.${column}`)
          .join(", ")},
          coalesce((select min(s.known_from) from entity_states s where ${tellsLater}), 'infinity') as known_to
        from unnest($1::text[], $2::text[]) as d (tenant, entity)
        join event_correlations l on l.tenant = d.tenant and l.document = d.entity
      ) as ended
      where ${sameLink} and c.known_to <> ended.known_to`,
    values: [documents.map(({ tenant }) => tenant), documents.map(({ entity }) => entity)],
  })
}
