import { parsePayload } from "../core/payload.ts"
import type { LoggedRecord, Recovered } from "../core/remote.ts"
import {
  eventsOfKeys,
  recordGaps,
  repairedGaps,
  settleGaps,
  type GapOutcome,
  type NewGap,
} from "../store/gaps.ts"
import { eventsOfHappenings, eventsOfStates, type Happening } from "../store/known-records.ts"
import type { Db } from "../store/database.ts"
import { eachOf } from "./bounded.ts"
import { untilProcessed } from "./processed.ts"
import { refusalOf } from "./refusal.ts"
import type { Run } from "./run.ts"

/** What an event must tell of to be the record's, and whether that is noted only when it is processed. */
interface Told {
  state: string
  late: boolean
}

/** A record under judgement; what was made of it already is not made twice. */
interface Candidate {
  record: LoggedRecord
  told: Told | null
  recovered?: Recovered | null
}

/**
 * Judges the records of a page, and submits what nothing is known of; `keep` runs in the transaction
 * that settles the last of it. The gaps are written down before anything is submitted, so that a run
 * that follows this one finds what was missing although it is there by then.
 */
export async function settleRecords(
  run: Run,
  records: readonly LoggedRecord[],
  keep: (db: Db) => Promise<void>,
): Promise<void> {
  const { sourceId } = run.lease
  const unique = [...new Map(records.map((record) => [record.key, record])).values()]
  const known = await knownBefore(run, unique)
  const missing: Candidate[] = []
  const outcomes: GapOutcome[] = [...known].map(([key, eventId]) => repaired(key, eventId))
  const rest = unique.filter(({ key }) => !known.has(key))
  const judged = await knownByEvents(run, rest)
  for (const { candidate, eventId } of judged) {
    if (eventId === null) missing.push(candidate)
    else outcomes.push(repaired(candidate.record.key, eventId))
  }
  if (missing.length > 0) {
    await run.write((db) => recordGaps(db, run.lease, "record", missing.map(gapOf)))
  }
  await eachOf(missing, run.options.atOnce, async (candidate) => {
    outcomes.push(await submitOne(run, candidate))
  })
  await run.write(async (db) => {
    await settleGaps(db, sourceId, "record", outcomes, run.clock())
    await keep(db)
  })
}

/** Records that are here under their own keys, or were found to be here at an earlier sweep. */
async function knownBefore(run: Run, records: readonly LoggedRecord[]): Promise<Map<string, string | null>> {
  const keys = records.map(({ key }) => key)
  const here = await eventsOfKeys(run.pool, run.key, keys)
  const settled = await repairedGaps(run.pool, run.lease.sourceId, "record", keys)
  return new Map([...[...settled].map((key): [string, null] => [key, null]), ...here])
}

interface Judged {
  candidate: Candidate
  /** The event that tells the same; null where there is none. */
  eventId: string | null
}

async function knownByEvents(run: Run, records: readonly LoggedRecord[]): Promise<Judged[]> {
  if (records.length === 0) return []
  const candidates = records.map((record): Candidate => ({ record, told: toldOf(record) }))
  await eachOf(
    candidates.filter(({ record }) => record.known === null),
    run.options.atOnce,
    async (candidate) => {
      candidate.recovered = await recover(run, candidate.record)
      candidate.told = candidate.recovered === null ? null : toldByIdentity(run, candidate.recovered)
    },
  )
  const happened = candidates.flatMap((candidate) => {
    const happening = happeningOf(candidate.record)
    return happening === null ? [] : [{ candidate, happening }]
  })
  if (happened.length > 0 || candidates.some(({ told }) => told?.late === true)) await untilProcessed(run)
  const states = candidates.flatMap(({ told }) => (told === null ? [] : [told.state]))
  const byState = await eventsOfStates(run.pool, run.key, states)
  const byHappening = await eventsOfHappenings(
    run.pool,
    run.lease.sourceId,
    run.key,
    happened.map(({ happening }) => happening),
  )
  const events = new Map(happened.map(({ candidate }, index) => [candidate, byHappening.get(index)]))
  return candidates.map((candidate) => ({
    candidate,
    eventId: byState.get(candidate.told?.state ?? "") ?? events.get(candidate) ?? null,
  }))
}

function toldOf({ known }: LoggedRecord): Told | null {
  if (known !== null && "state" in known) return { state: known.state, late: false }
  return known !== null && "record" in known ? { state: known.record, late: true } : null
}

function happeningOf({ known }: LoggedRecord): Happening | null {
  return known !== null && "entity" in known ? { ...known, until: known.until ?? null } : null
}

/** Null where the platform tells none, or cannot read the delivery, which its submission will say. */
function toldByIdentity({ target, clock }: Run, { headers, contentType, body }: Recovered): Told | null {
  const { platform, source } = target
  const kept = Object.fromEntries(
    platform.keptHeaders.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  )
  try {
    const payload = parsePayload(body, contentType)
    const message = { headers: kept, contentType, payload, receivedAt: clock(), sender: source.sender }
    const { state, record } = platform.identify(message, body)
    if (state !== undefined) return { state, late: false }
    return record === undefined ? null : { state: record, late: true }
  } catch {
    return null
  }
}

async function recover(run: Run, { recovered }: LoggedRecord): Promise<Recovered | null> {
  if (typeof recovered !== "function") return recovered
  try {
    return await run.call("the provider, asked for a record,", () => recovered())
  } catch (error) {
    if (refusalOf(error) === null) throw error
    return null
  }
}

async function submitOne(run: Run, { record, recovered }: Candidate): Promise<GapOutcome> {
  const { key } = record
  try {
    const made = recovered === undefined ? await recover(run, record) : recovered
    if (made === null) return lost(key, "the provider does not hand it out any more")
    return repaired(key, (await run.submit(made)).eventId)
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === null) throw error
    return lost(key, refusal)
  }
}

function gapOf({ record }: Candidate): NewGap {
  return { key: record.key, reason: "never_sent", startedAt: record.at, handle: null }
}

function repaired(key: string, eventId: string | null): GapOutcome {
  return { key, state: "repaired", eventId, note: null }
}

function lost(key: string, note: string): GapOutcome {
  return { key, state: "lost", eventId: null, note }
}
