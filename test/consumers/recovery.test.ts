import { afterEach, expect, test } from "vitest"
import { createLog, type Log } from "../../src/core/log.ts"
import { createConsumers, type Consumers } from "../../src/consumers/create-consumers.ts"
import type { ReadLog } from "../../src/consumers/log-window.ts"
import { partitionOf } from "../../src/core/partition-of.ts"
import { orderKey } from "../../src/consumers/order-key.ts"
import {
  leasedPosition,
  moveCursors,
  partitionStates,
  releaseLease,
  removeMember,
  renewMember,
  takeLeases,
  type Lease,
  type TakenLease,
} from "../../src/store/consumer-leases.ts"
import { registerConsumer } from "../../src/store/consumers.ts"
import { createPool } from "../../src/store/database.ts"
import {
  beginAttempts,
  leaseKey,
  repeatAttempt,
  settleAttempts,
  settlementRow,
  takeDue,
} from "../../src/store/deliveries.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { append, deliveriesOf, eventually, handler, readerOf } from "./log.ts"

const database = await testDatabase()
const log = createLog("silent")
const open: Consumers[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((consumers) => consumers.stop()))
})

function machine(options: Partial<Parameters<typeof createConsumers>[0]> = {}): Consumers {
  const consumers = createConsumers({ database, read: readerOf(database), log, beatMs: 50, ...options })
  open.push(consumers)
  return consumers
}

const things = (count: number, from = 0) =>
  Array.from({ length: count }, (_, n) => ({
    entity: `thing:${from + n}`,
    type: n === 3 ? "bad.one" : "good.one",
  }))

const uneven = (partitions: number) =>
  ({
    tenant: "default",
    name: "uneven",
    kind: "handler",
    stream: "all_events",
    filter: {},
    partitions,
    from: 0,
  }) as const

const allDelivered = (count: number) => (rows: { status: string }[]) =>
  rows.length === count && rows.every(({ status }) => status === "delivered")

test("connections that break again and again lose no event and settle every run", async () => {
  const runs: string[] = []
  const run = async (event: { id: string }) => {
    runs.push(event.id)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  const consumers = machine()
  consumers.add(handler("broken", run, { partitions: 3, concurrency: 3 }))
  await consumers.start()
  const killer = createPool(database.url, { max: 1 })
  const ids: string[] = []
  for (let round = 0; round < 15; round++) {
    const more = Array.from({ length: 4 }, (_, n) => ({ entity: `thing:${n}` }))
    ids.push(
      ...(await eventually(
        () => append(database, ...more).catch(() => []),
        (made) => made.length > 0,
      )),
    )
    consumers.wake()
    await killer.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and usename is not null`,
    )
  }
  await killer.end()
  const rows = await eventually(
    () => deliveriesOf(database, "broken").catch(() => []),
    (found) => found.length >= ids.length && found.every(({ status }) => status === "delivered"),
    60_000,
  )
  expect(rows.map(({ event_id }) => event_id)).toEqual(expect.arrayContaining(ids))
  // No lease was lost, so nobody has cause to run anything again.
  expect(runs.toSorted()).toEqual(rows.map(({ event_id }) => event_id).toSorted())
}, 90_000)

test("fifty consumers read the log once, and write together", async () => {
  const statements: string[] = []
  const work = new Proxy(database.work, {
    get(pool, name) {
      if (name !== "query") return Reflect.get(pool, name, pool)
      return (query: string | { text: string }, values?: unknown[]) => {
        statements.push(typeof query === "string" ? query : query.text)
        return pool.query(query as string, values)
      }
    },
  })
  const watched = { work }
  const consumers = machine({ database: watched, read: readerOf(watched), beatMs: 60_000, leaseMs: 600_000 })
  let runs = 0
  for (let n = 0; n < 50; n++) consumers.add(handler(`fifty-${n}`, () => void runs++, { partitions: 4 }))
  await consumers.start()
  await eventually(
    () => statements.filter((text) => text.includes("status = 'running'\n     order by")).length,
    (count) => count === 200,
  )
  await new Promise((resolve) => setTimeout(resolve, 200))
  statements.length = 0
  await append(database, {})
  consumers.wake()
  await eventually(
    () => runs,
    (count) => count === 50,
  )
  const reads = statements.filter((text) => text.includes("from event_log_head h"))
  const begins = statements.filter((text) => text.includes("insert into event_deliveries"))
  // 200 partitions; a few more than one where they do not all wake in one turn.
  expect(reads.length).toBeLessThanOrEqual(10)
  expect(begins.length).toBeLessThanOrEqual(5)
}, 60_000)

test("runs of different entities overlap where the consumer allows it, those of one entity never", async () => {
  const now = new Set<string>()
  let most = 0
  let overlaps = 0
  const order: string[] = []
  const consumers = machine()
  consumers.add(
    handler(
      "side-by-side",
      async (event) => {
        const entity = event.entity ?? ""
        if (now.has(entity)) overlaps++
        now.add(entity)
        most = Math.max(most, now.size)
        order.push(event.id)
        await new Promise((resolve) => setTimeout(resolve, 5))
        now.delete(entity)
      },
      { concurrency: 4 },
    ),
  )
  await consumers.start()
  const ids = await append(
    database,
    ...Array.from({ length: 60 }, (_, n) => ({ entity: `thing:${Math.floor(n / 3) % 6}` })),
  )
  consumers.wake()
  await eventually(() => deliveriesOf(database, "side-by-side"), allDelivered(60))
  expect({ most, overlaps }).toEqual({ most: 4, overlaps: 0 })
  for (let thing = 0; thing < 6; thing++) {
    const mine = ids.filter((_, n) => Math.floor(n / 3) % 6 === thing)
    expect(order.filter((id) => mine.includes(id))).toEqual(mine)
  }
})

test("another number of partitions loses nothing and repeats nothing, what waits for a retry included", async () => {
  const runs: string[] = []
  let mended = false
  const dealt = (partitions: number) =>
    handler(
      "dealt-anew",
      (event) => {
        runs.push(event.id)
        if (event.type === "bad.one" && !mended) throw new Error("not yet")
      },
      { partitions, retry: { initialMs: 300, maxMs: 300, jitter: 0, attempts: 50 } },
    )
  const first = machine()
  first.add(dealt(2))
  await first.start()
  const before = await append(database, ...things(12))
  first.wake()
  await eventually(
    () => deliveriesOf(database, "dealt-anew"),
    (rows) => rows.filter(({ status }) => status === "delivered").length === 11,
  )

  // The first machine runs on with the old number in its code: the database's number counts.
  const second = machine()
  second.add(dealt(5))
  await second.start()
  const after = await append(database, ...things(12, 100))
  second.wake()
  await eventually(
    () => deliveriesOf(database, "dealt-anew"),
    (rows) => rows.filter(({ status }) => status === "delivered").length === 22,
  )
  mended = true
  const rows = await eventually(() => deliveriesOf(database, "dealt-anew"), allDelivered(24))
  const good = [...before, ...after].filter((_, n) => n % 12 !== 3)
  for (const id of good) expect(runs.filter((run) => run === id)).toHaveLength(1)
  const entities = [...things(12), ...things(12, 100)].map(({ entity }) => entity)
  expect(rows.map(({ partition }) => partition)).toEqual(
    rows.map(({ partition }, n) => (n < 12 && n !== 3 ? partition : partitionOf(entities[n] ?? "", 5))),
  )
  await second.stop()
  const third = machine()
  third.add(dealt(1))
  await third.start()
  const last = await append(database, ...things(3, 200))
  third.wake()
  await eventually(() => deliveriesOf(database, "dealt-anew"), allDelivered(27))
  expect(runs.filter((run) => last.includes(run))).toHaveLength(3)
  expect(runs).toHaveLength(
    good.length + 3 + runs.filter((run) => run === before[3] || run === after[3]).length,
  )
})

test("dealt anew, every partition begins at the lowest of the old cursors, and no lease of before is good", async () => {
  const subscriptionId = await registerConsumer(database.work, uneven(3))
  await database.work.query(
    "update subscription_partitions set position = 5 + partition, fence = 3 - partition where subscription_id = $1",
    [subscriptionId],
  )
  const partitions = async () => {
    const { rows } = await database.work.query(
      "select position, fence from subscription_partitions where subscription_id = $1 order by partition",
      [subscriptionId],
    )
    return rows
  }
  await registerConsumer(database.work, uneven(3))
  expect(await partitions()).toEqual([5, 6, 7].map((position, n) => ({ position, fence: 3 - n })))
  await registerConsumer(database.work, uneven(2))
  expect(await partitions()).toEqual([5, 5].map((position) => ({ position, fence: 5 })))
  await registerConsumer(database.work, uneven(4))
  expect(await partitions()).toEqual([5, 5, 5, 5].map((position) => ({ position, fence: 7 })))
})

test("a cursor that lags behind what was done repeats nothing", async () => {
  const runs: string[] = []
  const consumer = handler("lagging", (event) => void runs.push(event.id))
  const first = machine()
  first.add(consumer)
  await first.start()
  const before = await append(database, {}, {}, {})
  first.wake()
  await eventually(() => deliveriesOf(database, "lagging"), allDelivered(3))
  await first.stop()
  await database.work.query(
    `update subscription_partitions p set position = position - 3
     from stream_subscriptions s where s.id = p.subscription_id and s.name = 'lagging'`,
  )
  const second = machine()
  second.add(consumer)
  await second.start()
  const after = await append(database, {})
  second.wake()
  await eventually(() => deliveriesOf(database, "lagging"), allDelivered(4))
  expect(runs).toEqual([...before, ...after])
})

/** Registers a consumer of one partition, and takes its lease for a member. */
async function leaseOfNew(name: string, member: string): Promise<TakenLease> {
  const db = database.work
  const record = {
    tenant: "default",
    name,
    kind: "handler",
    stream: "all_events",
    filter: {},
    partitions: 1,
    from: "head",
  } as const
  const subscriptionId = await registerConsumer(db, record)
  await renewMember(db, member, [subscriptionId], 60_000)
  const [lease] = await takeLeases(db, member, [{ subscriptionId, partition: 0, fence: 0 }])
  if (lease === undefined) throw new Error("the lease was free to take")
  return lease
}

test("events that may have ended a process run one at a time in the whole process, and are counted in their turn", async () => {
  const names = ["suspect-1", "suspect-2", "suspect-3"]
  const db = database.work
  const leases: TakenLease[] = []
  for (const name of names) leases.push(await leaseOfNew(name, "ended"))
  const [event] = await logEvents(db, [{ type: "suspect.event" }])
  if (event === undefined) throw new Error("an event was made")
  for (const lease of leases) {
    const upTo = lease.position + 1
    await beginAttempts(
      db,
      [
        {
          lease,
          upTo,
          written: lease.position,
          events: [{ eventId: event.id, tenant: "default", position: upTo }],
        },
      ],
      new Date(),
    )
    await repeatAttempt(db, lease, event.id)
  }
  await removeMember(db, "ended")

  const attemptsNow = async () =>
    Promise.all(names.map(async (name) => (await deliveriesOf(database, name))[0]?.attempts))
  const seen: unknown[] = []
  const consumers = machine()
  for (const name of names) {
    consumers.add(
      handler(name, async () => {
        seen.push((await attemptsNow()).toSorted((one = 0, other = 0) => one - other))
        await new Promise((resolve) => setTimeout(resolve, 50))
      }),
    )
  }
  await consumers.start()
  await eventually(
    async () => (await Promise.all(names.map((name) => deliveriesOf(database, name)))).flat(),
    allDelivered(3),
  )
  expect(seen).toEqual([
    [2, 2, 3],
    [2, 3, 3],
    [3, 3, 3],
  ])
})

const settledRow = (rows: { status: string }[]) =>
  rows.length === 1 && rows.every(({ status }) => status === "delivered" || status === "dead")

test("answers of the database that are lost on the way use up no attempt of an event before it has run", async () => {
  const lossy = ["insert into event_deliveries", "alone = alone + 1", "alone = 0"]
  const left = new Map(lossy.map((part) => [part, 3]))
  const work = new Proxy(database.work, {
    get(pool, name) {
      if (name !== "query") return Reflect.get(pool, name, pool)
      return async (query: string | { text: string }, values?: unknown[]) => {
        const text = typeof query === "string" ? query : query.text
        const answer = await pool.query(query as string, values)
        const part = lossy.find((piece) => text.includes(piece))
        const more = part === undefined ? 0 : (left.get(part) ?? 0)
        if (part === undefined || more === 0 || answer.rowCount === 0) return answer
        left.set(part, more - 1)
        throw new Error("the connection broke before the answer came")
      }
    },
  })
  const runs: string[] = []
  const consumers = machine({ database: { work } })
  consumers.add(handler("lossy", (event) => void runs.push(event.id), { retry: { attempts: 1 } }))
  await consumers.start()
  const [first] = await append(database, { type: "one.event" })
  consumers.wake()
  const once = await eventually(() => deliveriesOf(database, "lossy"), settledRow)
  expect(once).toMatchObject([{ event_id: first, status: "delivered", attempts: 2 }])
  await consumers.stop()

  for (const part of lossy) left.set(part, 3)
  const again = machine({ database: { work } })
  const retry = { attempts: 3, initialMs: 1, maxMs: 1 }
  again.add(
    handler(
      "lossy-again",
      (event) => {
        runs.push(event.id)
        if (runs.length === 2) throw new Error("once")
      },
      { retry },
    ),
  )
  await again.start()
  const [second] = await append(database, { type: "one.event" })
  again.wake()
  const twice = await eventually(() => deliveriesOf(database, "lossy-again"), settledRow)
  expect(twice).toMatchObject([{ event_id: second, status: "delivered" }])
  expect(runs).toEqual([first, second, second])
  expect(left.get("alone = 0")).toBeLessThan(3)
}, 60_000)

test("a paused consumer rests, and goes on where it was when it is active again", async () => {
  const runs: string[] = []
  const consumers = machine()
  consumers.add(handler("pausing", (event) => void runs.push(event.id)))
  await consumers.start()
  const status = (value: string) =>
    database.work.query("update stream_subscriptions set status = $1 where name = 'pausing'", [value])
  const owner = async () => {
    const { rows } = await database.work.query<{ lease_owner: string | null }>(
      `select lease_owner from subscription_partitions p join stream_subscriptions s on s.id = p.subscription_id
       where s.name = 'pausing'`,
    )
    return rows[0]?.lease_owner
  }
  await eventually(owner, (held) => typeof held === "string")
  await status("paused")
  await eventually(owner, (held) => held === null)
  const ids = await append(database, {}, {})
  consumers.wake()
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(runs).toEqual([])
  await status("active")
  await eventually(
    () => runs.length,
    (count) => count === 2,
  )
  expect(runs).toEqual(ids)
})

test("events that retention dropped before a consumer came to them are told, not passed over in silence", async () => {
  const told: object[] = []
  const telling: Log = { ...log, error: (fields) => void told.push(fields), child: () => telling }
  const [, lostEvent] = await append(database, {}, {}, {})
  const whole = readerOf(database)
  let hole: { from: number; to: number } | undefined
  const read: ReadLog = async (after) => {
    const { items, upTo } = await whole(after)
    return {
      upTo,
      items: items.map((item) => {
        if ("to" in item || item.id !== lostEvent) return item
        hole = { from: item.position, to: item.position }
        return hole
      }),
    }
  }
  const runs: string[] = []
  const consumers = machine({ log: telling, read })
  consumers.add(handler("told", (event) => void runs.push(event.id), { from: "earliest" }))
  await consumers.start()
  await eventually(
    () => runs,
    (ids) => ids.length > 1 && hole !== undefined && told.length > 0,
  )
  expect(runs).not.toContain(lostEvent)
  expect(told).toEqual([hole])
})

test("the cursor follows the log over events that nobody wants", async () => {
  const consumers = machine()
  consumers.add(handler("picky", () => {}, { matches: () => false }))
  await consumers.start()
  await append(database, {}, {}, {})
  consumers.wake()
  const head = await database.work.query<{ position: number }>("select position from event_log_head")
  await eventually(
    async () => {
      const { rows } = await database.work.query<{ position: number }>(
        `select p.position from subscription_partitions p join stream_subscriptions s on s.id = p.subscription_id
         where s.name = 'picky'`,
      )
      return rows[0]?.position
    },
    (position) => position === head.rows[0]?.position,
  )
  expect(await deliveriesOf(database, "picky")).toEqual([])
})

test("an event without an entity is in a partition of its own id", () => {
  expect(orderKey({ id: "one", entity: null })).toBe("one")
  expect(orderKey({ id: "one", entity: "thing:1" })).toBe("thing:1")
  // Fixed for good: stored cursors and deliveries rely on it.
  expect([1, 2, 4, 8, 256].map((count) => partitionOf("linear:issue:ENG-123", count))).toEqual([
    0, 0, 2, 2, 98,
  ])
})

test("whatever is written under a lease that was taken over is refused, each write for itself", async () => {
  const db = database.work
  const stale = await leaseOfNew("stale", "old")
  const { subscriptionId } = stale
  const [one, two] = await logEvents(db, [{}, {}])
  if (one === undefined || two === undefined) throw new Error("two events were made")
  const begun = (event: typeof one) => [
    { eventId: event.id, tenant: "default", position: stale.position + 1 },
  ]
  const now = new Date()
  await beginAttempts(
    db,
    [{ lease: stale, upTo: stale.position + 1, written: stale.position, events: begun(one) }],
    now,
  )

  await renewMember(db, "new", [subscriptionId], 60_000)
  expect(await takeLeases(db, "new", [stale])).toEqual([]) // its holder lives
  await removeMember(db, "old")
  const taken = await Promise.all([takeLeases(db, "new", [stale]), takeLeases(db, "new", [stale])])
  expect(taken.flat()).toHaveLength(1) // of two at the same time one gets it
  const [held] = taken.flat()
  if (held === undefined) throw new Error("the lease was free to take")

  const settlement = { eventId: one.id, status: "delivered", attempts: 1, finishedAt: now } as const
  const settle = (lease: Lease) =>
    settleAttempts(db, [{ lease, row: settlementRow(lease, "handler", settlement) }])
  expect(await settle(stale)).toEqual(new Set())
  expect(
    await beginAttempts(
      db,
      [{ lease: stale, upTo: stale.position + 2, written: stale.position, events: begun(two) }],
      now,
    ),
  ).toEqual(new Map())
  expect(await repeatAttempt(db, stale, one.id)).toBe(false)
  expect(await takeDue(db, stale, now, 10)).toEqual([])
  expect(await leasedPosition(db, stale)).toBeUndefined()
  await moveCursors(db, [{ ...stale, position: stale.position + 2, written: stale.position }])
  await releaseLease(db, stale)
  expect(await deliveriesOf(database, "stale")).toMatchObject([{ status: "running", attempts: 1 }])
  expect(await leasedPosition(db, held)).toBe(stale.position + 1)
  expect(await partitionStates(db, "new", [subscriptionId])).toMatchObject([{ owner: "new", fence: 2 }])

  expect(await settle(held)).toEqual(new Set([leaseKey(held)]))
  expect(await deliveriesOf(database, "stale")).toMatchObject([{ status: "delivered" }])
})
