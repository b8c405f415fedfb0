import type pg from "pg"
import type { Priority } from "../core/envelope.ts"
import { SignalboxError } from "../core/errors.ts"
import type { Enqueue } from "../store/enqueue.ts"
import { insertConflicts, type Conflict } from "../store/event-conflicts.ts"
import { keyHolders, keyText, takeFreeKeys, takeKeys } from "../store/event-keys.ts"
import { insertEvents, type NewEvent } from "../store/events.ts"
import { failureOf } from "../store/failure.ts"

/** What became of a delivery, committed. */
export interface Receipt {
  eventId: string
  /** The same delivery, with the same body, was there before. */
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
 * sent together. A failed one fails all that follow it within the transaction, and the COMMIT is
 * sent only after every answer.
 */
export async function writeBatch(
  pool: pg.Pool,
  enqueue: Enqueue,
  events: readonly NewEvent[],
  again = false,
): Promise<Map<string, Receipt>> {
  const sorted = inKeyOrder(events)
  const client = await pool.connect()
  let broken = false
  try {
    return (await writeNew(client, enqueue, sorted)) ?? (await writeMixed(client, enqueue, sorted, again))
  } catch (error) {
    broken = !(await rollback(client))
    throw error
  } finally {
    client.release(broken)
  }
}

/** The usual case, every key new, in two round trips; answers null, rolled back, where one is taken. */
async function writeNew(
  client: pg.PoolClient,
  enqueue: Enqueue,
  events: readonly NewEvent[],
): Promise<Map<string, Receipt> | null> {
  try {
    await allAnswered([
      client.query("begin"),
      takeKeys(client, events),
      insertEvents(client, events),
      enqueue(client, jobsOf(events)),
    ])
  } catch (error) {
    if (failureOf(error) !== "repeat") throw error
    await client.query("rollback")
    return null
  }
  await commit(client)
  return new Map(events.map((event) => [event.id, receiptOfNew(event)]))
}

/** Any mixture of new deliveries, repeats and conflicts, among themselves as well. */
async function writeMixed(
  client: pg.PoolClient,
  enqueue: Enqueue,
  events: readonly NewEvent[],
  again: boolean,
): Promise<Map<string, Receipt>> {
  const [, free] = await allAnswered([client.query("begin"), takeFreeKeys(client, events)])
  const fresh = events.filter((event) => free.has(event.id))
  const taken = events.filter((event) => !free.has(event.id))
  const [holders] = await allAnswered([
    keyHolders(client, taken),
    fresh.length > 0 ? insertEvents(client, fresh) : undefined,
    fresh.length > 0 ? enqueue(client, jobsOf(fresh)) : undefined,
  ])
  const receipts = new Map(fresh.map((event) => [event.id, receiptOfNew(event)]))
  const conflicts: Conflict[] = []
  for (const event of taken) {
    const holder = holders.get(keyText(event))
    if (holder === undefined) {
      throw new SignalboxError("unavailable", "the delivery key was released at this moment; try again")
    }
    const own = again && holder.eventId === event.id
    const conflict = !holder.bodyHash.equals(event.bodyHash)
    if (conflict) conflicts.push({ delivery: event, eventId: holder.eventId })
    receipts.set(event.id, { eventId: holder.eventId, duplicate: !own && !conflict, conflict })
  }
  await insertConflicts(client, conflicts)
  await commit(client)
  return receipts
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

function jobsOf(events: readonly NewEvent[]): { priority: Priority; eventIds: string[] }[] {
  const byPriority = new Map<Priority, string[]>()
  for (const { priority, id } of events) {
    const ids = byPriority.get(priority)
    if (ids === undefined) byPriority.set(priority, [id])
    else ids.push(id)
  }
  return [...byPriority].map(([priority, eventIds]) => ({ priority, eventIds }))
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

async function rollback(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query("rollback")
    return true
  } catch {
    return false
  }
}
