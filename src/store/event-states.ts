import type pg from "pg"
import type { Db } from "./database.ts"
import type { NewEvent } from "./events.ts"
import { jsonRows } from "./json-rows.ts"
import { valuesList } from "./values-list.ts"

/** An event's claim to be the one that tells of a state of its subject (see Identity). */
export interface StateClaim {
  event: NewEvent
  state: string
}

/** Whose a state is, the hash of the body it came with, and where that came from. */
export interface StateHolder {
  eventId: string
  bodyHash: Buffer
  backfilled: boolean
}

type TellerRow = StateHolder & Pick<NewEvent, "tenant" | "platform" | "source"> & { state: string }

const columns = "tenant, platform, source, state"

/** One text for a state of a source, to look up by. */
export function stateText({ event, state }: StateClaim): string {
  return JSON.stringify([event.tenant, event.platform, event.source, state])
}

/** The claims that events make by their identity. */
export function stateClaims(events: readonly NewEvent[]): StateClaim[] {
  const claims: StateClaim[] = []
  for (const event of events) if (event.state !== undefined) claims.push({ event, state: event.state })
  return claims
}

/**
 * Takes states for events, in one order for all, so that transactions that want the same wait in turn
 * and never in a circle: after the delivery keys. Fails where one is taken.
 */
export function takeStates(db: Db, claims: readonly StateClaim[]): Promise<pg.QueryResult> {
  return db.query({
    name: `take_states_${claims.length}`,
    text: `insert into event_states (${columns}, event_id, body_sha256, backfilled)
      values ${valuesList(claims.length, 7)}`,
    values: claimValues(claims),
  })
}

/** The same, leaving out the states that are taken; answers the ids of the events that got theirs. */
export async function takeFreeStates(db: Db, claims: readonly StateClaim[]): Promise<Set<string>> {
  if (claims.length === 0) return new Set()
  const { rows } = await db.query<{ event_id: string }>({
    name: `take_free_states_${claims.length}`,
    text: `insert into event_states (${columns}, event_id, body_sha256, backfilled)
      values ${valuesList(claims.length, 7)}
      on conflict do nothing returning event_id`,
    values: claimValues(claims),
  })
  return new Set(rows.map((row) => row.event_id))
}

/** Whose these states are, by `stateText`. */
export async function stateHolders(db: Db, claims: readonly StateClaim[]): Promise<Map<string, StateHolder>> {
  if (claims.length === 0) return new Map()
  const { rows } = await db.query<TellerRow>(
    `select ${columns}, event_id as "eventId", body_sha256 as "bodyHash", backfilled
      from event_states where (${columns}) in (${valuesList(claims.length, 4)})`,
    claims.flatMap(({ event, state }) => [event.tenant, event.platform, event.source, state]),
  )
  return byStateText(rows)
}

/**
 * Fails, as a key that is taken does, where something backfilled tells of the same records as these
 * webhooks do; `backfilledTellers` says which.
 */
export async function refuseToldByBackfill(db: Db, events: readonly NewEvent[]): Promise<void> {
  const records = events.flatMap(({ record }) => (record === undefined ? [] : [record]))
  if (records.length === 0) return
  await db.query({
    name: "refuse_told_by_backfill",
    text: "select refuse_told_by_backfill($1::text[])",
    values: [records],
  })
}

/** The backfilled events that tell of the same records as these webhooks, by the webhook's id. */
export async function backfilledTellers(
  db: Db,
  events: readonly NewEvent[],
): Promise<Map<string, StateHolder>> {
  const claims: StateClaim[] = []
  for (const event of events) if (event.record !== undefined) claims.push({ event, state: event.record })
  if (claims.length === 0) return new Map()
  const { rows } = await db.query<TellerRow>({
    name: "backfilled_tellers",
    text: `select ${columns}, event_id as "eventId", body_sha256 as "bodyHash", backfilled
      from event_states where backfilled and state = any($1::text[])`,
    values: [claims.map(({ state }) => state)],
  })
  const holders = byStateText(rows)
  const tellers = new Map<string, StateHolder>()
  for (const claim of claims) {
    const holder = holders.get(stateText(claim))
    if (holder !== undefined) tellers.set(claim.event.id, holder)
  }
  return tellers
}

function byStateText(rows: readonly TellerRow[]): Map<string, StateHolder> {
  return new Map(
    rows.map(({ tenant, platform, source, state, ...holder }) => [
      JSON.stringify([tenant, platform, source, state]),
      holder,
    ]),
  )
}

/** Notes which events tell of which records; of several the first. */
export async function noteRecords(db: Db, rows: readonly string[]): Promise<void> {
  await db.query({
    name: "note_records",
    text: `insert into event_states (${columns}, event_id, body_sha256, backfilled)
      select ${columns}, event_id, decode(body_sha256, 'hex'), false
      from jsonb_to_recordset($1::jsonb) as x (tenant text, platform text, source text, state text,
        event_id uuid, body_sha256 text)
      on conflict do nothing`,
    values: [jsonRows(rows)],
  })
}

function claimValues(claims: readonly StateClaim[]): unknown[] {
  const keyed = claims.map((claim) => ({ claim, key: stateText(claim) }))
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return keyed.flatMap(({ claim: { event, state } }) => [
    event.tenant,
    event.platform,
    event.source,
    state,
    event.id,
    event.bodyHash,
    event.backfilled ?? false,
  ])
}
