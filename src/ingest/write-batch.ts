import type pg from "pg"
import { DatabaseError } from "pg"
import { priorities } from "../core/envelope.ts"
import { SignalboxError } from "../core/errors.ts"
import type { JobStatements, ProcessingBatch } from "../store/enqueue.ts"
import { insertConflicts } from "../store/event-conflicts.ts"
import { keyText, passKey, takeFreeKeys, takeKeys } from "../store/event-keys.ts"
import { refuseToldByBackfill, stateClaims, takeStates } from "../store/event-states.ts"
import { insertEvents, type NewEvent } from "../store/events.ts"
import { failureOf } from "../store/failure.ts"
import { insertReceipts, type NewReceipt } from "../store/receipts.ts"
import { repeatsByKey, repeatsByState, repeatsOfBackfilled, type Repeat } from "./repeats.ts"

/** What became of a delivery, committed. */
export interface Receipt {
  eventId: string
  /** The same delivery was there before, or another one that tells of the same. */
  duplicate: boolean
  /** Its key was there before with another body; the delivery is kept as a conflict. */
  conflict: boolean
}

/**
 * Writes events, their keys and their jobs in one transaction and answers once it is committed, by
 * the id that each event brought. Throws whatever the database says; then nothing of the batch is
 * there, unless the connection went at the COMMIT. Writing the batch `again` finds that out: events
 * that took hold are met as holders of their own keys, and are told as new.
 *
 * `pool` hands out pipelining connections: statements that do not need each other's answers are
 * sent together. A failed one fails all that follow it within the transaction.
 */
export async function writeBatch(
  pool: pg.Pool,
  jobStatements: JobStatements,
  events: readonly NewEvent[],
  again = false,
): Promise<Map<string, Receipt>> {
  const sorted = inKeyOrder(events)
  const client = await pool.connect()
  let broken = false
  try {
    return (
      (await writeNew(client, jobStatements, sorted)) ??
      (await writeMixed(client, jobStatements, sorted, again))
    )
  } catch (error) {
    // One whose server does not answer would not answer that either; and where nothing is open it does no harm.
    broken = lostConnection(error) || !(await rollback(client))
    throw error
  } finally {
    client.release(broken)
  }
}

/**
 * The usual case, every key new, in one round trip: the COMMIT goes with the rest, since a statement that
 * fails makes a ROLLBACK of it. Answers null, rolled back, where a key or a state is taken.
 */
async function writeNew(
  client: pg.PoolClient,
  jobStatements: JobStatements,
  events: readonly NewEvent[],
): Promise<Map<string, Receipt> | null> {
  const states = stateClaims(events)
  const jobs = await jobStatements(jobsOf(events)) // before all else: from here to the COMMIT nothing waits
  try {
    await allAnswered([
      client.query("begin"),
      takeKeys(client, events),
      states.length > 0 ? takeStates(client, states) : undefined,
      refuseToldByBackfill(client, events), // by those of this batch as well
      ...jobs.map((job) => client.query(job)),
      insertEvents(client, events),
      commit(client),
    ])
  } catch (error) {
    if (failureOf(error) !== "repeat") throw error
    return null
  }
  return new Map(events.map((event) => [event.id, receiptOfNew(event)]))
}

/** Any mixture of new deliveries and repeats, among themselves as well. */
async function writeMixed(
  client: pg.PoolClient,
  jobStatements: JobStatements,
  events: readonly NewEvent[],
  again: boolean,
): Promise<Map<string, Receipt>> {
  const [, free] = await allAnswered([client.query("begin"), takeFreeKeys(client, events)])
  const keyed = events.filter((event) => free.has(event.id))
  const byState = [
    ...(await repeatsByState(client, stateClaims(keyed))),
    ...(await repeatsOfBackfilled(client, keyed)), // those of this batch among them
  ]
  const tellers = new Map(byState.map(({ delivery, eventId }) => [delivery.id, eventId]))
  const fresh = keyed.filter((event) => !tellers.has(event.id))
  const taken = events.filter((event) => !free.has(event.id))
  const repeats = [...byState, ...(await repeatsByKey(client, taken, fresh, tellers))]
  const jobs = fresh.length > 0 ? await jobStatements(jobsOf(fresh)) : []
  await allAnswered([
    fresh.length > 0 ? insertEvents(client, fresh) : undefined,
    ...jobs.map((job) => client.query(job)),
    ...byState.map(({ delivery, eventId }) => passKey(client, delivery, eventId)),
    insertConflicts(
      client,
      repeats.filter(({ keep }) => keep),
    ),
    insertReceipts(client, repeats.filter(isRequest).map(receiptRow)),
    commit(client),
  ])
  return new Map([
    ...fresh.map((event) => [event.id, receiptOfNew(event)] as const),
    ...repeats.map((repeat) => [repeat.delivery.id, receiptOf(repeat, again)] as const),
  ])
}

/** Whether it came from outside: not fetched by us, and not its own event, met when written again. */
function isRequest({ delivery, eventId }: Repeat): boolean {
  return delivery.backfilled !== true && delivery.id !== eventId
}

function receiptRow({ delivery, eventId, conflict }: Repeat): NewReceipt {
  const { id, tenant, platform, source, deliveryId, secretId, headers, raw, receivedAt } = delivery
  return {
    id,
    tenant,
    platform,
    source,
    outcome: conflict ? "conflict" : "duplicate",
    deliveryId,
    eventId,
    secretId,
    headers,
    bodyBytes: raw.length,
    receivedAt,
  }
}

function receiptOf({ delivery, eventId, conflict }: Repeat, again: boolean): Receipt {
  const own = again && eventId === delivery.id
  return { eventId, duplicate: !own && !conflict, conflict }
}

function receiptOfNew(event: NewEvent): Receipt {
  return { eventId: event.id, duplicate: false, conflict: false }
}

/** One order for every batch of every process, so that two that share keys never wait in a circle. */
function inKeyOrder(events: readonly NewEvent[]): NewEvent[] {
  const keyed = events.map((event) => ({ event, key: keyText(event) }))
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return keyed.map(({ event }) => event)
}

/**
 * One job a priority. A few events ride along in the job of the next more urgent ones, where those are
 * twice as many or more: a job costs as much as several events, and they delay it by less than half.
 */
function jobsOf(events: readonly NewEvent[]): ProcessingBatch[] {
  const jobs: ProcessingBatch[] = []
  for (const priority of priorities) {
    const eventIds = events.flatMap((event) => (event.priority === priority ? [event.id] : []))
    const host = jobs.at(-1)
    if (host !== undefined && 2 * eventIds.length <= host.eventIds.length) host.eventIds.push(...eventIds)
    else if (eventIds.length > 0) jobs.push({ priority, eventIds })
  }
  return jobs
}

/**
 * Waits for every answer, then throws the first failure in the order of sending, which caused the
 * others. Not `Promise.all`: a statement that is yet to be sent must not end up behind the rollback.
 */
async function allAnswered<T extends unknown[]>(sent: [...T]): Promise<{ [K in keyof T]: Awaited<T[K]> }> {
  for (const answer of await Promise.allSettled(sent)) {
    if (answer.status === "rejected") throw answer.reason
  }
  return Promise.all(sent)
}

async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query("commit")
  // COMMIT of a failed transaction is no error to PostgreSQL; it answers ROLLBACK.
  if (command !== "COMMIT") throw new SignalboxError("internal", "the transaction was rolled back")
}

function lostConnection(error: unknown): boolean {
  return !(error instanceof DatabaseError) && failureOf(error) === "away"
}

async function rollback(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query("rollback")
    return true
  } catch {
    return false
  }
}
