import type { Db } from "./database.ts"

/** A place where a note is to be left, and the event that led there. */
export interface NoteWish {
  tenant: string
  place: string
  eventId: string
}

/** The right to leave a note, for a while. */
export interface NoteClaim extends Pick<NoteWish, "tenant" | "place"> {
  /** 1 where nobody can have left it before. */
  attempt: number
  /** Before the first attempt, by the database's clock. */
  begunAt: Date
}

export type NoteState =
  | { status: "claimed"; claim: NoteClaim }
  /** It is there. */
  | { status: "left" }
  /** An attempt on behalf of `eventId` may be under way for so many milliseconds more. */
  | { status: "held"; eventId: string; forMs: number }

/** Claims the right to leave a note for `holdMs`, unless it was left, or another attempt may be under way. */
export async function claimNote(
  db: Db,
  { tenant, place, eventId }: NoteWish,
  holdMs: number,
): Promise<NoteState> {
  const { rows } = await db.query<{ attempts: number; begunAt: Date }>({
    name: "claim_timeline_note",
    text: `insert into timeline_notes as n (tenant, place, event_id, held_until)
      values ($1, $2, $3, now() + $4 * interval '1 millisecond')
      on conflict (tenant, place) do update
        set event_id = excluded.event_id, held_until = excluded.held_until, attempts = n.attempts + 1
        where n.left_at is null and n.held_until <= now()
      returning attempts, begun_at as "begunAt"`,
    values: [tenant, place, eventId, holdMs],
  })
  const [claimed] = rows
  if (claimed !== undefined) {
    const { attempts: attempt, begunAt } = claimed
    return { status: "claimed", claim: { tenant, place, attempt, begunAt } }
  }
  const standing = await db.query<{ left: boolean; eventId: string; forMs: number }>({
    name: "standing_timeline_note",
    text: `select left_at is not null as left, event_id as "eventId",
        greatest(0, extract(epoch from held_until - now()) * 1000)::float8 as "forMs"
      from timeline_notes where tenant = $1 and place = $2`,
    values: [tenant, place],
  })
  const [note] = standing.rows
  if (note === undefined) return { status: "held", eventId, forMs: 0 } // taken away in between
  const { left, ...held } = note
  return left ? { status: "left" } : { status: "held", ...held }
}

/** Holds a claim for `holdMs` from now; false where another attempt has it. */
export async function renewNote(db: Db, claim: NoteClaim, holdMs: number): Promise<boolean> {
  const { rowCount } = await db.query({
    name: "renew_timeline_note",
    text: `update timeline_notes set held_until = now() + $4 * interval '1 millisecond'
      where tenant = $1 and place = $2 and attempts = $3 and left_at is null`,
    values: [claim.tenant, claim.place, claim.attempt, holdMs],
  })
  return rowCount === 1
}

/** Notes that it was left. */
export async function recordNote(db: Db, claim: NoteClaim, noteId: string): Promise<void> {
  await db.query({
    name: "record_timeline_note",
    text: `update timeline_notes set left_at = now(), note_id = $4
      where tenant = $1 and place = $2 and attempts = $3 and left_at is null`,
    values: [claim.tenant, claim.place, claim.attempt, noteId],
  })
}

/** Gives a claim back: nothing is under way any more. */
export async function releaseNote(db: Db, claim: NoteClaim): Promise<void> {
  await db.query({
    name: "release_timeline_note",
    text: `update timeline_notes set held_until = now()
      where tenant = $1 and place = $2 and attempts = $3 and left_at is null`,
    values: [claim.tenant, claim.place, claim.attempt],
  })
}

/** A thread and what a strong link says that it discusses. */
export interface Discussion {
  thread: string
  thing: string
}

/** What the threads discuss that this event shows, as far as it is still known; at most 100. */
export async function discussionsShownBy(db: Db, eventId: string): Promise<Discussion[]> {
  const { rows } = await db.query<Discussion>({
    name: "discussions_shown_by",
    text: `select distinct from_entity as thread, to_entity as thing from event_correlations
      where event_id = $1 and strength = 'strong' and relation = 'discusses' and known_to = 'infinity'
        and from_entity like 'slack:thread:%'
      order by 1, 2 limit 100`,
    values: [eventId],
  })
  return rows
}

/** By which of a platform's sources its newest event on a thing came; null where none ever did. */
export async function sourceOfThing(
  db: Db,
  tenant: string,
  entity: string,
  platform: string,
): Promise<string | null> {
  const { rows } = await db.query<{ source: string }>({
    name: "source_of_thing",
    text: `select source from event_log where tenant = $1 and entity = $2 and platform = $3
      order by occurred_at desc, tie desc, position desc limit 1`,
    values: [tenant, entity, platform],
  })
  return rows[0]?.source ?? null
}
