import type { LoggedEvent, Reference } from "../core/envelope.ts"
import { readBoth, type Db } from "./database.ts"
import { eventColumns, storedEvent, type EventRow } from "./events.ts"

/**
 * Events by id with their places in the log and their references, in the order of `places`. Those that
 * are not there any more are left out. Without `payload`, `raw` is empty and no body is read.
 */
export async function findLoggedEvents(
  db: Db,
  places: readonly { eventId: string; position: number }[],
  { payload }: { payload: boolean },
): Promise<LoggedEvent[]> {
  if (places.length === 0) return []
  const ids = `{${places.map(({ eventId }) => eventId).join(",")}}` // written once, for both
  const [rows, references] = await readBoth(
    db,
    () => rowsOf(db, ids, payload),
    () => referencesOf(db, ids),
  )
  const events = new Map(rows.map((row) => [row.id, storedEvent(row)]))
  return places.flatMap(({ eventId, position }) => {
    const event = events.get(eventId)
    return event === undefined ? [] : [{ ...event, position, references: references.get(eventId) ?? [] }]
  })
}

// One by one, in what nothing makes a join of: so each id is sought in its own partition alone. `= any(…)` seeks
// all of them in each, and a join has the planner read whole partitions for some hundred ids.
async function rowsOf(db: Db, ids: string, payload: boolean): Promise<EventRow[]> {
  const { rows } = await db.query<EventRow>({
    name: payload ? "find_logged_events" : "find_logged_event_heads",
    text: `select found.* from unnest($1::uuid[]) as wanted (event_id) cross join lateral (
        select ${eventColumns}, ${payload ? "raw" : "''::bytea as raw"} from events
        where id = wanted.event_id limit 1) as found`,
    values: [ids],
  })
  return rows
}

interface ReferenceRow extends Omit<Reference, "subject"> {
  event_id: string
  subject: string | null
}

async function referencesOf(db: Db, ids: string): Promise<Map<string, Reference[]>> {
  const { rows } = await db.query<ReferenceRow>({
    name: "references_of_events",
    text: `select wanted.event_id, found.* from unnest($1::uuid[]) as wanted (event_id) cross join lateral (
        select subject, entity, relation, evidence from event_references
        where event_id = wanted.event_id order by ordinal offset 0) as found`,
    values: [ids],
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
