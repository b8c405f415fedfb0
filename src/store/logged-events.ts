import type { LoggedEvent, Reference } from "../core/envelope.ts"
import { readBoth, type Db } from "./database.ts"
import { eventColumns, storedEvent, type EventRow } from "./events.ts"

/**
 * The event of an id, in SQL, to be joined laterally as `event`; the id is an expression. Without `payload`, `raw`
 * is empty and no body is read. What `limit` makes no join of is sought by itself in its own partition: `= any(…)`
 * seeks each in all of them, and for some hundred a join has the planner read whole partitions.
 */
export function eventOf(id: string, { payload }: { payload: boolean } = { payload: true }): string {
  return `lateral (select ${eventColumns}, ${payload ? "body_text(raw)" : "''"} as raw from events
    where id = ${id} limit 1) as event`
}

/** What deals a row of the log into partitions, in SQL, whatever its entity is by now: see `orderKey`. */
export function orderKeyOf(row: string): string {
  return `coalesce(${row}.order_key, ${row}.entity, ${row}.event_id::text)`
}

/**
 * Events by id with their places in the log and their references, in the order of `places`. Those that
 * are not there any more are left out. Without `payload`, `raw` is empty and no body is read. Without
 * its order key a place does not tell the partition.
 */
export async function findLoggedEvents(
  db: Db,
  places: readonly { eventId: string; position: number; orderKey?: string }[],
  { payload }: { payload: boolean },
): Promise<LoggedEvent[]> {
  if (places.length === 0) return []
  const ids = places.map(({ eventId }) => eventId)
  const [rows, references] = await readBoth(
    db,
    () => rowsOf(db, ids, payload),
    () => findReferences(db, ids),
  )
  const events = new Map(rows.map((row) => [row.id, storedEvent(row)]))
  return places.flatMap(({ eventId, position, orderKey }) => {
    const event = events.get(eventId)
    if (event === undefined) return []
    const found = { ...event, position, references: references.get(eventId) ?? [] }
    return orderKey === undefined || orderKey === (event.entity ?? event.id)
      ? [found]
      : [{ ...found, orderKey }]
  })
}

async function rowsOf(db: Db, ids: readonly string[], payload: boolean): Promise<EventRow[]> {
  const { rows } = await db.query<EventRow>({
    name: payload ? "find_logged_events" : "find_logged_event_heads",
    text: `select event.* from unnest($1::uuid[]) as wanted (id) cross join ${eventOf("wanted.id", { payload })}`,
    values: [uuids(ids)],
  })
  return rows
}

interface ReferenceRow extends Omit<Reference, "subject"> {
  event_id: string
  subject: string | null
}

/** The references of events by their ids, in their order; nothing for an event that has none. */
async function findReferences(db: Db, ids: readonly string[]): Promise<Map<string, Reference[]>> {
  const { rows } = await db.query<ReferenceRow>({
    name: "references_of_events",
    text: `select wanted.event_id, found.* from unnest($1::uuid[]) as wanted (event_id) cross join lateral (
        select subject, entity, relation, evidence from event_references
        where event_id = wanted.event_id order by ordinal offset 0) as found`,
    values: [uuids(ids)],
  })
  const references = new Map<string, Reference[]>()
  for (const { event_id, subject, entity, relation, evidence } of rows) {
    const reference = { entity, relation, evidence, ...(subject === null ? {} : { subject }) }
    const known = references.get(event_id)
    if (known === undefined) references.set(event_id, [reference])
    else known.push(reference)
  }
  return references
}

// As pg would write them, but for its quotes.
function uuids(ids: readonly string[]): string {
  return `{${ids.join(",")}}`
}
