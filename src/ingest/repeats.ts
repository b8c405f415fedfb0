import { hash } from "node:crypto"
import type { Db } from "../store/database.ts"
import { SignalboxError } from "../core/errors.ts"
import { keyHolders, keyText, type KeyHolder } from "../store/event-keys.ts"
import {
  backfilledTellers,
  stateHolders,
  stateText,
  takeFreeStates,
  type StateClaim,
} from "../store/event-states.ts"
import { findOrigins, type NewEvent, type Origin } from "../store/events.ts"

/** A delivery of which an event tells already. */
export interface Repeat {
  delivery: NewEvent
  /** The event that tells of it. */
  eventId: string
  /** One key, and yet another delivery, as far as can be told. */
  conflict: boolean
  /** Its body is another one than the event's, and worth keeping. */
  keep: boolean
}

/**
 * Finds what events are repeats of whose delivery keys are taken. The holder may be one of the `fresh`,
 * about to be stored, or one that has turned out to be a repeat itself: `tellers` says of which event.
 */
export async function repeatsByKey(
  db: Db,
  taken: readonly NewEvent[],
  fresh: readonly NewEvent[],
  tellers: ReadonlyMap<string, string>,
): Promise<Repeat[]> {
  const holders = await keyHolders(db, taken)
  const met = taken.map((delivery) => {
    const { eventId, bodyHash } = holderOf(delivery, holders)
    const same = bodyHash.equals(delivery.bodyHash)
    return { delivery, eventId: tellers.get(eventId) ?? eventId, keep: !same && delivery.backfilled !== true }
  })
  const differing = met.filter(({ keep }) => keep)
  const origins = await originsOf(db, new Set(differing.map(({ eventId }) => eventId)), fresh)
  return met.map((repeat) => ({
    ...repeat,
    conflict: repeat.keep && !mayDiffer(repeat.delivery, origins.get(repeat.eventId)),
  }))
}

async function originsOf(db: Db, ids: Set<string>, fresh: readonly NewEvent[]): Promise<Map<string, Origin>> {
  const origins = new Map<string, Origin>()
  for (const { id, headers, backfilled = false } of fresh) {
    if (ids.delete(id)) origins.set(id, { headers, backfilled })
  }
  for (const [id, origin] of await findOrigins(db, [...ids])) origins.set(id, origin)
  return origins
}

function holderOf(delivery: NewEvent, holders: ReadonlyMap<string, KeyHolder>): KeyHolder {
  const holder = holders.get(keyText(delivery))
  if (holder === undefined) {
    throw new SignalboxError("unavailable", "the delivery key was released at this moment; try again")
  }
  return holder
}

/** Whether one event under one key may well have come in two bodies. */
function mayDiffer(delivery: NewEvent, origin: Origin | undefined): boolean {
  if (origin === undefined) return false
  if (origin.backfilled) return true
  const { endpointHeader } = delivery
  if (endpointHeader === undefined) return false
  const [own, other] = [delivery.headers[endpointHeader], origin.headers[endpointHeader]]
  return own !== undefined && other !== undefined && own !== other
}

/** Finds the webhooks of which an event that was made of the provider's record tells already. */
export async function repeatsOfBackfilled(db: Db, events: readonly NewEvent[]): Promise<Repeat[]> {
  const tellers = await backfilledTellers(db, events)
  return events.flatMap((delivery) => {
    const teller = tellers.get(delivery.id)
    if (teller === undefined) return []
    const keep = !teller.bodyHash.equals(delivery.bodyHash)
    return [{ delivery, eventId: teller.eventId, conflict: false, keep }]
  })
}

/**
 * Takes the states of events that have their delivery keys. Those whose state is taken are repeats of
 * its holder, except that two webhooks of one state and of two bodies are two events: then state and
 * body together are the state.
 */
export async function repeatsByState(db: Db, claims: readonly StateClaim[]): Promise<Repeat[]> {
  const repeats: Repeat[] = []
  const others: StateClaim[] = []
  for (const [claim, holder] of await lostClaims(db, claims)) {
    const { event: delivery } = claim
    const same = holder.bodyHash.equals(delivery.bodyHash)
    if (!same && !holder.backfilled && delivery.backfilled !== true) others.push(ofThisBody(claim))
    else {
      const keep = !same && delivery.backfilled !== true
      repeats.push({ delivery, eventId: holder.eventId, conflict: false, keep })
    }
  }
  // After all others: the same order in every transaction.
  for (const [{ event: delivery }, { eventId }] of await lostClaims(db, others)) {
    repeats.push({ delivery, eventId, conflict: false, keep: false })
  }
  return repeats
}

async function lostClaims(db: Db, claims: readonly StateClaim[]) {
  const won = await takeFreeStates(db, claims)
  const lost = claims.filter(({ event }) => !won.has(event.id))
  const holders = await stateHolders(db, lost)
  return lost.map((claim) => {
    const holder = holders.get(stateText(claim))
    if (holder === undefined) {
      throw new SignalboxError("unavailable", "the state was released at this moment; try again")
    }
    return [claim, holder] as const
  })
}

/** No other state has this text: a state is text of a platform's own, and this is none. */
function ofThisBody({ event, state }: StateClaim): StateClaim {
  return { event, state: `sha256:${hash("sha256", `${state}\n${event.bodyHash.toString("hex")}`)}` }
}
