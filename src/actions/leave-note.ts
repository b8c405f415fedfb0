import type { Pool } from "pg"
import { SignalboxError } from "../core/errors.ts"
import type { Note, Notes, RemoteAccess } from "../core/remote.ts"
import {
  claimNote,
  recordNote,
  releaseNote,
  renewNote,
  type NoteClaim,
  type NoteWish,
} from "../store/timeline-notes.ts"

/** How the provider is spoken to. */
export interface Speaker {
  notes: Notes
  access: RemoteAccess
}

/** What came of it: left now, found where an earlier attempt left it, or left to another event's attempt. */
export type NoteOutcome = "left" | "was there" | "another event is at it"

/** Clocks of provider and database may differ by so much. */
const clockSlackMs = 3_600_000

/**
 * Leaves a note at a place, once and for all. What is to be done is written down before the call and what
 * was done after it; whoever finds the one without the other looks for the note at the provider. An attempt
 * holds the place for `holdMs`, which must be longer than a call may take: within that time nobody else
 * tries. Throws what the provider's refusal is, and `unavailable` while an earlier attempt may be under way.
 */
export async function leaveNote(
  pool: Pool,
  { notes, access }: Speaker,
  wish: NoteWish,
  note: Note,
  holdMs: number,
): Promise<NoteOutcome> {
  const state = await claimNote(pool, wish, holdMs)
  if (state.status === "left") return "was there"
  if (state.status === "held") {
    // Whoever is at it will be asked again about its own event, should it die; about this one we will.
    if (state.eventId !== wish.eventId) return "another event is at it"
    throw new SignalboxError("unavailable", `an earlier attempt at ${wish.place} may still be under way`, {
      retryAfter: Math.ceil(state.forMs / 1000) + 1,
    })
  }
  const { claim } = state
  const found = claim.attempt === 1 ? null : await lookFor(pool, { notes, access }, claim)
  const noteId = found ?? (await say(pool, { notes, access }, claim, note, holdMs))
  await recordNote(pool, claim, noteId)
  return found === null ? "left" : "was there"
}

async function lookFor(pool: Pool, { notes, access }: Speaker, claim: NoteClaim): Promise<string | null> {
  try {
    return await notes.find(access, claim.place, new Date(claim.begunAt.getTime() - clockSlackMs))
  } catch (error) {
    await releaseNote(pool, claim)
    throw error
  }
}

async function say(
  pool: Pool,
  { notes, access }: Speaker,
  claim: NoteClaim,
  note: Note,
  holdMs: number,
): Promise<string> {
  if (!(await renewNote(pool, claim, holdMs))) {
    throw new SignalboxError("unavailable", `another attempt at ${claim.place} has begun`)
  }
  try {
    return await notes.leave(access, claim.place, note)
  } catch (error) {
    // Of an answer that never came nobody knows what it was: the place stays held until all is over.
    const isRefused = error instanceof SignalboxError && error.code !== "unavailable"
    if (isRefused) await releaseNote(pool, claim)
    throw error
  }
}
