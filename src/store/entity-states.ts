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

/** The tie of all states that an event shows. */
export function tieOf({ raw }: Pick<StoredEvent, "raw">): string {
  return `\\x${hash("sha256", raw).slice(0, 32)}`
}

/**
 * A state that an event shows, as rows for `insertStates`. What is deleted for good is so at the end of all
 * times as well, later than whatever else will be said of it.
 */
export function stateRows(event: StoredEvent, state: EntityState, tie: string): string[] {
  const { entity, at, fields, deleted = false, final = false } = state
  const row = {
    tenant: event.tenant,
    entity,
    event_id: event.id,
    at,
    tie,
    fields,
    deleted,
    known_from: event.receivedAt,
  }
  return [jsonRow(row), ...(deleted && final ? [jsonRow({ ...row, at: "infinity", fields: {} })] : [])]
}

/** Inserts states; of two of one thing and time from one event the first stays. */
export async function insertStates(db: Db, rows: readonly string[]): Promise<void> {
  await db.query({
    name: "insert_states",
    text: `insert into entity_states (tenant, entity, event_id, at, tie, fields, deleted, known_from)
      select tenant, entity, event_id, at, tie, fields, deleted, known_from
      from jsonb_populate_recordset(null::entity_states, $1::jsonb)
      on conflict (event_id, entity, at) do nothing`,
    values: [jsonRows(rows)],
  })
}

const linkKey = ["event_id", "from_entity", "to_entity", "relation", "rule"]
const sameLink = linkKey.map((column) => `c.${column} = ended.${column}`).join(" and ")
const tellsLater = `s.tenant = l.tenant and s.entity = l.document and (s.deleted or s.fields ? l.field)
  and (s.at, s.tie) > (l.stated_at, l.tie)`
const endings = `select ${linkKey.map((column) => `l.${column}`).join(", ")}, min(s.known_from) as known_to`

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
        select ${linkKey.join(", ")}, min(known_to) as known_to from (
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

/** Removes the states that these events showed, to write what they show now. */
export async function deleteStates(db: Db, eventIds: readonly string[]): Promise<void> {
  await db.query({
    name: "delete_states",
    text: "delete from entity_states where event_id = any($1::uuid[])",
    values: [eventIds],
  })
}

/**
 * Settles every link of these things, and of those of which these events tell, from the beginning, since
 * states that ended some may be gone. Under the same condition as `settleLinks`. One pass over the states
 * of a thing, latest first, finds for each the first that was known of those later than it.
 */
export async function resettleLinks(
  db: Db,
  documents: readonly Document[],
  eventIds: readonly string[],
): Promise<void> {
  await db.query({
    name: "resettle_links",
    text: `with document as (
        select tenant, entity from unnest($1::text[], $2::text[]) as given (tenant, entity)
        union select tenant, entity from entity_states where event_id = any($3::uuid[])
      ), shown as materialized (
        select distinct l.tenant, l.document, l.field
        from document d join event_correlations l on l.tenant = d.tenant and l.document = d.entity
      ), ended as materialized (
        select s.tenant, s.entity, f.field, s.event_id, coalesce(min(s.known_from) over (
            partition by s.tenant, s.entity, f.field order by s.at desc, s.tie desc
            range between unbounded preceding and current row exclude group), 'infinity') as known_to
        from shown f join entity_states s
          on s.tenant = f.tenant and s.entity = f.document and (s.deleted or s.fields ? f.field)
      )
      update event_correlations c set known_to = ended.known_to
      from ended
      where c.event_id = ended.event_id and c.field = ended.field and c.known_to <> ended.known_to
        and c.document is not distinct from ended.entity -- so that no index but that of the events is taken`,
    values: [documents.map(({ tenant }) => tenant), documents.map(({ entity }) => entity), eventIds],
  })
}
