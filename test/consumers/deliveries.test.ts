import { afterEach, expect, test } from "vitest"
import type { LoggedEvent } from "../../src/core/envelope.ts"
import { SignalboxError } from "../../src/core/errors.ts"
import { silentLog } from "../../src/core/log.ts"
import { createConsumers, type Consumers } from "../../src/consumers/create-consumers.ts"
import type { ConsumerDefinition } from "../../src/consumers/definition.ts"
import { retryDeadDelivery } from "../../src/store/dead-letters.ts"
import { testDatabase } from "../support/database.ts"
import { append, deliveriesOf, eventually, idsOf, readerOf } from "./log.ts"

const database = await testDatabase()
const open: Consumers[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((consumers) => consumers.stop()))
})

function machine(options: Partial<Parameters<typeof createConsumers>[0]> = {}): Consumers {
  const consumers = createConsumers({
    database,
    read: readerOf(database),
    log: silentLog,
    beatMs: 50,
    ...options,
  })
  open.push(consumers)
  return consumers
}

let made = 0

function definition(
  run: ConsumerDefinition["run"],
  options: Partial<ConsumerDefinition> = {},
): ConsumerDefinition {
  return {
    name: `consumer-${++made}`,
    kind: "handler",
    tenant: "default",
    stream: "all_events",
    matches: () => true,
    run,
    retry: { initialMs: 10, maxMs: 20 },
    ...options,
  }
}

const settled = (status: string) => (rows: { status: string }[]) =>
  rows.length > 0 && rows.every((row) => row.status === status)

test("each matching event runs once, in the order of the log, and leaves its result", async () => {
  const seen: LoggedEvent[] = []
  const consumer = definition(
    (event) => {
      seen.push(event)
      return { got: event.type }
    },
    { matches: (event) => event.type.startsWith("wanted.") },
  )
  const consumers = machine()
  consumers.add(consumer)
  await consumers.start()
  const ids = await append(database, { type: "wanted.a" }, { type: "other.b" }, { type: "wanted.c" })
  consumers.wake()

  const rows = await eventually(
    () => deliveriesOf(database, consumer.name),
    (found) => found.length === 2 && settled("delivered")(found),
  )
  expect(idsOf(seen)).toEqual([ids[0], ids[2]])
  expect(rows.map(({ attempts, result }) => ({ attempts, result }))).toEqual([
    { attempts: 1, result: { got: "wanted.a" } },
    { attempts: 1, result: { got: "wanted.c" } },
  ])
})

test("a new consumer begins at the head, or at the earliest event where it says so", async () => {
  const before = await append(database, { type: "before.it" })
  const atHead: string[] = []
  const atFirst: string[] = []
  const consumers = machine()
  consumers.add(definition((event) => void atHead.push(event.id)))
  consumers.add(definition((event) => void atFirst.push(event.id), { from: "earliest" }))
  await consumers.start()
  const after = await append(database, { type: "after.it" })
  consumers.wake()
  await eventually(
    () => atFirst,
    (ids) => ids.includes(after[0] ?? ""),
  )
  await eventually(
    () => atHead,
    (ids) => ids.length > 0,
  )
  expect(atHead).toEqual(after)
  expect(atFirst).toContain(before[0])
})

test("a stopped consumer goes on where it was, and nothing runs again", async () => {
  const seen: string[] = []
  const consumer = definition((event) => void seen.push(event.id))
  const first = machine()
  first.add(consumer)
  await first.start()
  const one = await append(database, {}, {})
  first.wake()
  await eventually(
    () => seen.length,
    (count) => count === 2,
  )
  await first.stop()

  const away = await append(database, {}, {})
  const second = machine()
  second.add(consumer)
  await second.start()
  await eventually(
    () => seen.length,
    (count) => count >= 4,
  )
  await second.stop()
  expect(seen).toEqual([...one, ...away])
})

test("what fails is tried again without holding up what follows, and keeps its last error", async () => {
  const order: string[] = []
  const consumer = definition(
    (event, { attempt }) => {
      order.push(`${event.type}/${attempt}`)
      if (event.type === "bad.one" && attempt < 3) throw new Error(`attempt ${attempt} of it failed`)
      return "done"
    },
    { retry: { initialMs: 100, factor: 1, jitter: 0 } },
  )
  const consumers = machine()
  consumers.add(consumer)
  await consumers.start()
  await append(database, { type: "bad.one" }, { type: "good.two" })
  consumers.wake()
  const waiting = await eventually(
    () => deliveriesOf(database, consumer.name),
    (rows) => rows[1]?.status === "delivered",
  )
  expect(waiting[0]).toMatchObject({
    status: "retrying",
    attempts: 1,
    last_error: "Error: attempt 1 of it failed",
  })
  const rows = await eventually(() => deliveriesOf(database, consumer.name), settled("delivered"))
  expect(order).toEqual(["bad.one/1", "good.two/1", "bad.one/2", "bad.one/3"])
  expect(rows.map((row) => row.attempts)).toEqual([3, 1])
})

test("waits between attempts double up to their limit, by the clock that was given", async () => {
  let now = new Date("2026-11-21T12:00:00Z").getTime()
  const tried: number[] = []
  const consumer = definition(
    () => {
      tried.push(now)
      throw new Error("never")
    },
    { retry: { initialMs: 1_000, factor: 2, maxMs: 3_000, jitter: 0, attempts: 5 } },
  )
  const consumers = machine({ clock: () => new Date(now) })
  consumers.add(consumer)
  await consumers.start()
  await append(database, {})
  consumers.wake()
  for (const [attempts, wait] of [1_000, 2_000, 3_000, 3_000].entries()) {
    await eventually(
      () => deliveriesOf(database, consumer.name),
      ([row]) => row?.attempts === attempts + 1 && row.status === "retrying",
    )
    now += wait - 1
    await new Promise((resolve) => setTimeout(resolve, 120)) // two beats and more: not due by a millisecond
    expect(tried).toHaveLength(attempts + 1)
    now += 1
  }
  await eventually(() => deliveriesOf(database, consumer.name), settled("dead"))
  expect(tried).toHaveLength(5)
})

test("exhausted work is a dead letter of its consumer, whose retry runs for that consumer alone", async () => {
  let mended = false
  let others = 0
  const failing = definition(
    () => {
      if (!mended) throw new Error("the ticket system is down")
      return "mended"
    },
    { retry: { attempts: 2, initialMs: 1 } },
  )
  const healthy = definition(() => void others++)
  const consumers = machine()
  consumers.add(failing)
  consumers.add(healthy)
  await consumers.start()
  const [id] = await append(database, {})
  consumers.wake()
  await eventually(() => deliveriesOf(database, failing.name), settled("dead"))
  const letters = await database.work.query(
    "select id, kind, tenant, attempts, error_code, error, status from dead_letters where event_id = $1",
    [id],
  )
  expect(letters.rows).toEqual([
    {
      id: letters.rows[0]?.id,
      kind: "handler",
      tenant: "default",
      attempts: 2,
      error_code: "failed",
      error: "Error: the ticket system is down",
      status: "open",
    },
  ])

  mended = true
  expect(await retryDeadDelivery(database.work, "another", letters.rows[0]?.id)).toBe(false)
  expect(await retryDeadDelivery(database.work, "default", letters.rows[0]?.id)).toBe(true)
  expect(await retryDeadDelivery(database.work, "default", letters.rows[0]?.id)).toBe(false)
  const rows = await eventually(() => deliveriesOf(database, failing.name), settled("delivered"))
  expect(rows[0]?.result).toBe("mended")
  expect(others).toBe(1)
  const after = await database.work.query("select status from dead_letters where event_id = $1", [id])
  expect(after.rows).toEqual([{ status: "retried" }])
})

test("an error that says so is final at once", async () => {
  const consumer = definition(() => {
    throw new SignalboxError("bad_request", "there is no such channel")
  })
  const consumers = machine()
  consumers.add(consumer)
  await consumers.start()
  await append(database, {})
  consumers.wake()
  const rows = await eventually(() => deliveriesOf(database, consumer.name), settled("dead"))
  expect(rows[0]).toMatchObject({ attempts: 1, last_error: "there is no such channel" })
})

test("a run is given up when its time is over, and told so", async () => {
  let told: unknown
  const consumer = definition(
    (_, { signal }) => new Promise(() => signal.addEventListener("abort", () => (told = signal.reason))),
    { timeoutMs: 30, retry: { attempts: 1 } },
  )
  const consumers = machine()
  consumers.add(consumer)
  await consumers.start()
  const [id] = await append(database, {})
  consumers.wake()
  await eventually(() => deliveriesOf(database, consumer.name), settled("dead"))
  expect(told).toMatchObject({ name: "TimeoutError" })
  const { rows } = await database.work.query("select error_code from dead_letters where event_id = $1", [id])
  expect(rows).toEqual([{ error_code: "timeout" }])
})

test("a consumer that always fails holds up no other", async () => {
  const good: string[] = []
  const consumers = machine({ drainMs: 50 })
  const failing = definition(() => Promise.reject(new Error("always")))
  consumers.add(failing)
  consumers.add(definition(() => new Promise(() => {}), { timeoutMs: 60_000 })) // never ends
  consumers.add(definition((event) => void good.push(event.id)))
  await consumers.start()
  const ids = await append(database, {}, {}, {})
  consumers.wake()
  await eventually(
    () => good.length,
    (count) => count === 3,
  )
  expect(good).toEqual(ids)
  await eventually(
    () => deliveriesOf(database, failing.name),
    (rows) => rows.length === 3 && settled("dead")(rows),
  )
})

test("an answer that no database takes spoils neither its run nor its neighbours", async () => {
  const circle: { self?: unknown } = {}
  circle.self = circle
  const answers: Record<string, unknown> = {
    "answer.nul": { "ke\0y": "a\0b\ud800" },
    "answer.circle": circle,
    "answer.bigint": 1n,
    "answer.long": "x".repeat(70_000),
    "answer.plain": [1, 2],
    "answer.none": undefined,
  }
  const consumer = definition((event) => answers[event.type])
  const consumers = machine()
  consumers.add(consumer)
  await consumers.start()
  await append(database, ...Object.keys(answers).map((type) => ({ type })))
  consumers.wake()
  const rows = await eventually(
    () => deliveriesOf(database, consumer.name),
    (found) => found.length === 6 && settled("delivered")(found),
  )
  expect(rows.map(({ result }) => result)).toEqual([
    { "ke\ufffdy": "a\ufffdb\ufffd" },
    { omitted: "it is not JSON" },
    { omitted: "it is not JSON" },
    { omitted: "70002 characters of JSON are more than 65536" },
    [1, 2],
    null,
  ])
})

test("a filter that throws is a failure of the events it throws at, not a silent skip", async () => {
  const consumer = definition(() => "ran", {
    matches(event) {
      if (event.type === "odd.one") throw new Error("no such field")
      return true
    },
    retry: { attempts: 1 },
  })
  const consumers = machine()
  consumers.add(consumer)
  await consumers.start()
  await append(database, { type: "odd.one" }, { type: "even.one" })
  consumers.wake()
  const rows = await eventually(
    () => deliveriesOf(database, consumer.name),
    (found) => found.length === 2 && found.every(({ status }) => status !== "running"),
  )
  expect(rows.map(({ status, last_error }) => ({ status, last_error }))).toEqual([
    { status: "dead", last_error: "Error: no such field" },
    { status: "delivered", last_error: null },
  ])
})

test("a consumer sees its tenant's events and no others; the operator's may see all", async () => {
  const own: string[] = []
  const all: string[] = []
  const consumers = machine()
  consumers.add(definition((event) => void own.push(event.tenant), { tenant: "acme" }))
  consumers.add(definition((event) => void all.push(event.tenant), { tenant: "*" }))
  await consumers.start()
  await append(database, { tenant: "acme" }, { tenant: "globex" }, { tenant: "acme" })
  consumers.wake()
  await eventually(
    () => all.length,
    (count) => count === 3,
  )
  await eventually(
    () => own.length,
    (count) => count === 2,
  )
  expect(own).toEqual(["acme", "acme"])
  expect(all).toEqual(["acme", "globex", "acme"])
  const rows = await database.work.query(
    `select distinct d.tenant from event_deliveries d join stream_subscriptions s on s.id = d.subscription_id
     where s.tenant = '*' order by 1`,
  )
  expect(rows.rows).toEqual([{ tenant: "acme" }, { tenant: "globex" }])
})

test("a stop waits for what runs, gives back what does not, and counts neither twice", async () => {
  const runs: string[] = []
  const gate = Promise.withResolvers<void>()
  const consumer = definition(async (event) => {
    runs.push(event.id)
    await gate.promise
  })
  const first = machine()
  first.add(consumer)
  await first.start()
  const ids = await append(database, {}, {}, {})
  first.wake()
  await eventually(
    () => runs.length,
    (count) => count === 1,
  )
  const stopped = first.stop()
  expect(first.stop()).toBe(stopped)
  setTimeout(() => gate.resolve(), 100)
  await stopped
  const between = await deliveriesOf(database, consumer.name)
  expect(between.map(({ status, attempts }) => ({ status, attempts }))).toEqual([
    { status: "delivered", attempts: 1 },
    { status: "retrying", attempts: 0 },
    { status: "retrying", attempts: 0 },
  ])
  const second = machine()
  second.add(consumer)
  await second.start()
  const rows = await eventually(() => deliveriesOf(database, consumer.name), settled("delivered"))
  expect(rows.map(({ attempts }) => attempts)).toEqual([1, 1, 1])
  expect(runs).toEqual(ids)
})

test("a stop cuts short what outlasts the drain time, and that attempt does not count", async () => {
  let aborted = false
  const consumer = definition(
    (_, { signal }) =>
      new Promise(() => {
        signal.addEventListener("abort", () => (aborted = true))
      }),
  )
  const consumers = machine({ drainMs: 100 })
  consumers.add(consumer)
  await consumers.start()
  await append(database, {})
  consumers.wake()
  await eventually(() => deliveriesOf(database, consumer.name), settled("running"))
  await consumers.stop()
  expect(aborted).toBe(true)
  const [row] = await deliveriesOf(database, consumer.name)
  expect(row).toMatchObject({ status: "retrying", attempts: 0 })
})

test("a consumer may join and leave while others run", async () => {
  const consumers = machine()
  await consumers.start()
  const seen: string[] = []
  const late = definition((event) => void seen.push(event.id))
  const joined = consumers.add(late)
  await joined.ready
  const ids = await append(database, {})
  consumers.wake()
  await eventually(
    () => seen.length,
    (count) => count === 1,
  )
  expect(() => consumers.add(late)).toThrow(/two consumers named/)
  await joined.remove()
  await append(database, {})
  consumers.wake()
  await new Promise((resolve) => setTimeout(resolve, 150))
  expect(seen).toEqual(ids)
})

test("a stop comes to an end though the database never answers", async () => {
  const consumers = machine({ drainMs: 50 })
  consumers.add(definition(() => {}))
  await consumers.start()
  const lock = await database.work.connect()
  await lock.query("begin")
  await lock.query("lock table subscription_partitions, consumer_members in access exclusive mode")
  await consumers.stop()
  const { rows } = await lock.query(
    "select from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())",
  )
  expect(rows.length).toBeGreaterThan(0) // it did not wait for these
  await lock.query("rollback")
  lock.release()
})

test("a name belongs to one kind of consumer", async () => {
  const taken = definition(() => {})
  const first = machine()
  first.add(taken)
  await first.start()
  const second = machine()
  second.add({ ...taken, kind: "callback" })
  await expect(second.start()).rejects.toThrow(/another kind/)
})

test("figures that make no sense are refused at once", () => {
  const consumers = machine()
  const refused = (options: Partial<ConsumerDefinition>, reason: RegExp) =>
    expect(() => consumers.add(definition(() => {}, options))).toThrow(reason)
  for (const partitions of [0, 257, 1.5, Number.NaN]) refused({ partitions }, /partitions/)
  for (const concurrency of [0, -1, 0.5]) refused({ concurrency }, /concurrency/)
  for (const timeoutMs of [0, -1, Infinity, Number.NaN]) refused({ timeoutMs }, /timeoutMs/)
  for (const from of [-1, 0.5]) refused({ from }, /from/)
  expect(() => consumers.add(definition(() => {}, { retry: { attempts: 0 } }))).toThrow(/attempts/)
  expect(() => consumers.add(definition(() => {}, { retry: { jitter: 2 } }))).toThrow(/jitter/)
})
