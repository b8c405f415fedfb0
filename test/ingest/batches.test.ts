import { afterAll, expect, test } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import { createBatcher } from "../../src/ingest/batcher.ts"
import { createPersist } from "../../src/ingest/persist-batch.ts"
import { writeBatch } from "../../src/ingest/write-batch.ts"
import { createQueue } from "../../src/queue/queue.ts"
import { createPool } from "../../src/store/database.ts"
import type { JobStatements } from "../../src/store/enqueue.ts"
import type { NewEvent } from "../../src/store/events.ts"
import { newEvent as eventWith } from "../processing/support.ts"
import { testDatabase } from "../support/database.ts"
import { untilBlocked } from "./support/locks.ts"

const database = await testDatabase()
const pool = createPool(database.url, { role: "signalbox_worker", max: 3, pipeline: true })
const queue = createQueue({ url: database.url, log: silentLog })
await queue.start()
afterAll(async () => {
  await pool.end()
  await queue.stop()
})

const failing: JobStatements = () =>
  Promise.resolve([{ text: "insert into pgboss.no_such_table values (1)" }])

/** PostgreSQL text holds no NUL; ingest cleans it away, so nothing but a fault of ours brings it here. */
const unstorable = { name: "a\0b" }

/** Hands events over together, and answers what became of each by its id: a receipt, or why not. */
function persistWith(jobStatements: JobStatements, ms = 5_000) {
  const persist = createPersist({
    write: (events, again) => writeBatch(pool, jobStatements, events, again),
    log: silentLog,
  })
  return async (events: readonly NewEvent[]): Promise<Map<string, unknown>> => {
    const batcher = createBatcher({ persist })
    const answerBy = performance.now() + ms
    const answers = events.map(async (event): Promise<[string, unknown]> => {
      const outcome = await batcher.add(event, answerBy).catch((error: unknown) => error)
      return [event.id, outcome]
    })
    const outcomes = new Map(await Promise.all(answers))
    await batcher.close()
    return outcomes
  }
}

const newEvent = (changes: Partial<NewEvent> = {}) => eventWith({ id: uuidv7() }, changes)

async function stored(events: readonly NewEvent[]): Promise<Set<string>> {
  const { rows } = await database.work.query<{ id: string }>("select id from events where id = any($1)", [
    events.map(({ id }) => id),
  ])
  return new Set(rows.map(({ id }) => id))
}

test("a row that the database refuses harms no other of its batch", async () => {
  const events = Array.from({ length: 50 }, (_, index) =>
    newEvent([3, 17, 49].includes(index) ? unstorable : {}),
  )
  const bad = events.filter(({ name }) => name === unstorable.name)
  const good = events.filter(({ name }) => name !== unstorable.name)
  const outcomes = await persistWith(queue.jobStatements)(events)
  expect(await stored(events)).toEqual(new Set(good.map(({ id }) => id)))
  for (const { id } of bad) expect(outcomes.get(id)).toMatchObject({ code: "bad_request", status: 400 })
  for (const { id } of good)
    expect(outcomes.get(id)).toEqual({ eventId: id, duplicate: false, conflict: false })
})

test("a refused row holds its key no longer: mended, it is taken", async () => {
  const refused = newEvent(unstorable)
  await persistWith(queue.jobStatements)([refused])
  const mended = newEvent({ deliveryId: refused.deliveryId })
  expect((await persistWith(queue.jobStatements)([mended])).get(mended.id)).toMatchObject({
    duplicate: false,
  })
})

test("repeats and conflicts within one batch come out as they would one by one", async () => {
  const first = newEvent()
  const repeat = newEvent({ deliveryId: first.deliveryId, raw: first.raw, bodyHash: first.bodyHash })
  const conflict = newEvent({ deliveryId: first.deliveryId })
  const alone = newEvent()
  const outcomes = await persistWith(queue.jobStatements)([first, repeat, alone, conflict])
  expect(Object.fromEntries(outcomes)).toEqual({
    [first.id]: { eventId: first.id, duplicate: false, conflict: false },
    [repeat.id]: { eventId: first.id, duplicate: true, conflict: false },
    [conflict.id]: { eventId: first.id, duplicate: false, conflict: true },
    [alone.id]: { eventId: alone.id, duplicate: false, conflict: false },
  })
})

test("a batch is one job a priority, in which a few less urgent events ride along, in the transaction of its events", async () => {
  const priorities = ["critical", "high", "normal", "low", "high", "normal", "normal", "critical"] as const
  const events = priorities.map((priority) => newEvent({ priority }))
  await persistWith(queue.jobStatements)(events)
  const { rows } = await database.work.query<{ name: string; ids: string[] }>(
    `select name, data -> 'eventIds' as ids from pgboss.job where data -> 'eventIds' ?| $1`,
    [events.map(({ id }) => id)],
  )
  const jobs = new Map(rows.map(({ name, ids }) => [name, new Set(ids)]))
  const idsOf = (...indexes: number[]) => new Set(indexes.map((index) => events[index]?.id))
  expect(jobs).toEqual(
    new Map([
      ["events-critical", idsOf(0, 7)],
      ["events-high", idsOf(1, 4)],
      ["events-normal", idsOf(2, 5, 6, 3)], // one low beside three normal ones
    ]),
  )
})

test("events whose job cannot be enqueued are not stored", async () => {
  const events = [newEvent(), newEvent()]
  const outcomes = await persistWith(failing)(events)
  expect(await stored(events)).toEqual(new Set())
  for (const { id } of events) expect(outcomes.get(id)).toMatchObject({ code: "internal", status: 500 })
})

test("a deadlock is nobody's error: the batch is written again", async () => {
  const [a, b] = [newEvent(), newEvent()].toSorted((one, two) => (one.deliveryId < two.deliveryId ? -1 : 1))
  const rival = await database.work.connect()
  const takeKey = (event: NewEvent | undefined) =>
    rival.query(
      `insert into event_keys (tenant, platform, source, delivery_id, event_id, body_sha256, received_at)
       values ('default', 'custom', 'default', $1, $2, 'x', now())`,
      [event?.deliveryId, event?.id],
    )
  await rival.query("begin")
  await takeKey(b)
  const batch = [a, b].filter((event) => event !== undefined)
  const outcomes = persistWith(queue.jobStatements)(batch)
  await untilBlocked(database, 1)
  await takeKey(a).catch(() => {}) // one of the two is chosen as the victim
  await rival.query("rollback")
  rival.release()
  expect([...(await outcomes).values()]).toEqual(
    batch.map(({ id }) => ({ eventId: id, duplicate: false, conflict: false })),
  )
})

test("no batch is larger than its bounds, and a body larger than the bound goes alone", async () => {
  const sizes: number[][] = []
  const batcher = createBatcher({
    maxEvents: 10,
    maxBytes: 1_000,
    inFlight: 1,
    persist: async (events) => {
      sizes.push(events.map(({ raw }) => raw.length))
      return new Map(events.map(({ id }) => [id, { eventId: id, duplicate: false, conflict: false }]))
    },
  })
  const lengths = [...Array.from({ length: 25 }, () => 10), 400, 400, 400, 5_000, 10]
  await Promise.all(lengths.map((length) => batcher.add(newEvent({ raw: Buffer.alloc(length) }), Infinity)))
  expect(sizes.flat()).toEqual(lengths)
  for (const batch of sizes) {
    expect(batch.length).toBeLessThanOrEqual(10)
    expect(batch.length === 1 || batch.reduce((sum, size) => sum + size, 0) <= 1_000).toBe(true)
  }
})

test("what is given up before its batch is written is left out of it, and each has an end of its own", async () => {
  const written: NewEvent[] = []
  let letGo: (() => void) | undefined
  const batcher = createBatcher({
    inFlight: 1,
    persist: async (events, wanted) => {
      await new Promise<void>((resolve) => (letGo = resolve))
      const left = events.filter(wanted)
      written.push(...left)
      return new Map(left.map(({ id }) => [id, { eventId: id, duplicate: false, conflict: false }]))
    },
  })
  const soon = performance.now() + 60
  const [running, impatient, patient] = [newEvent(), newEvent(), newEvent()]
  const first = batcher.add(running, Infinity)
  await new Promise((resolve) => setImmediate(resolve))
  const second = batcher.add(impatient, soon)
  const third = batcher.add(patient, Infinity)
  await expect(second).rejects.toMatchObject({ status: 503, retryAfter: 5 })
  letGo?.()
  expect(await first).toMatchObject({ eventId: running.id })
  await new Promise((resolve) => setTimeout(resolve, 5))
  letGo?.()
  expect(await third).toMatchObject({ eventId: patient.id })
  expect(written.map(({ id }) => id)).toEqual([running.id, patient.id])
})

test("no more wait than memory is meant for: the next one is turned away at once", async () => {
  const batcher = createBatcher({ inFlight: 0, maxWaiting: 3, persist: () => new Promise(() => {}) })
  const answerBy = performance.now() + 60
  const taken = Array.from({ length: 3 }, () => batcher.add(newEvent(), answerBy))
  await expect(batcher.add(newEvent(), Infinity)).rejects.toMatchObject({ status: 503, retryAfter: 5 })
  for (const { status } of await Promise.allSettled(taken)) expect(status).toBe("rejected")
  await batcher.add(newEvent(), performance.now()).catch(() => {}) // there is room again
})
