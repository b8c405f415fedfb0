import type { ServerResponse } from "node:http"
import { afterEach, expect, test } from "vitest"
import { createRateLimit } from "../../src/delivery/rate-limit.ts"
import { retryAfterMs, retryWait, standardSchedule } from "../../src/delivery/retry.ts"
import { append, deliveriesOf, eventually } from "../consumers/log.ts"
import { testDatabase } from "../support/database.ts"
import { startSending, subscribe } from "./machine.ts"
import { startReceiver } from "./receiver.ts"

const database = await testDatabase()
afterEach(() => database.work.query("delete from stream_subscriptions"))

const allAre = (status: string, count: number) => (rows: { status: string }[]) =>
  rows.length === count && rows.every((row) => row.status === status)

test("where order is kept, an event that fails holds up its own entity and nothing else", async () => {
  let failing = true
  const seen: string[] = []
  const receiver = await startReceiver(({ json }) => {
    if (failing && json.title === "1 of a") return 500
    seen.push(json.title)
    return 204
  })
  const { id } = await subscribe(database, "ordered", receiver.url, {
    ordered: true,
    retrySchedule: Array(30).fill(0),
  })
  await startSending(database)
  const type = "ordered.it.happened"
  const of = (entity: string, number: number) => ({
    type,
    entity: `x:y:${entity}`,
    title: `${number} of ${entity}`,
  })
  const both = [1, 2, 3].flatMap((number) => [of("a", number), of("b", number)])
  await append(database, ...both)
  await append(database, ...Array.from({ length: 80 }, (_, index) => of("a", index + 4)))
  await eventually(
    () => seen,
    (titles) => titles.length === 3,
  )
  expect(seen).toEqual(["1 of b", "2 of b", "3 of b"])
  const rows = await eventually(
    () => deliveriesOf(database, "ordered"),
    (found) => found.filter(({ status }) => status === "held").length === 82,
  )
  expect(rows.filter(({ status }) => status === "held").every(({ attempts }) => attempts === 0)).toBe(true)
  failing = false
  await database.work.query(
    "update event_deliveries set next_attempt_at = now() where subscription_id = $1 and status = 'retrying'",
    [id],
  )
  await eventually(() => deliveriesOf(database, "ordered"), allAre("delivered", 86))
  expect(seen.slice(3)).toEqual(Array.from({ length: 83 }, (_, index) => `${index + 1} of a`))
})

test("order is kept when failures come at random and processes come and go", async () => {
  const last = new Map<string, number>()
  const wrong: string[] = []
  const receiver = await startReceiver(({ json }) => {
    if (Math.random() < 0.15) return 503
    const number = Number(json.title)
    const before = last.get(json.entity) ?? 0
    // Sent again after a process ended without a word is allowed; skipping ahead is not.
    if (number > before + 1) wrong.push(`${json.entity}: ${before} then ${number}`)
    last.set(json.entity, Math.max(before, number))
    return 204
  })
  await subscribe(database, "random", receiver.url, {
    ordered: true,
    partitions: 3,
    retrySchedule: Array(50).fill(0),
  })
  const first = await startSending(database)
  await startSending(database)
  const numbers = Array.from({ length: 60 }, (_, index) => index + 1)
  for (const number of numbers) {
    const specs = ["a", "b", "c", "d", "e"].map((entity) => ({
      type: "random.it.happened",
      entity: `x:y:${entity}`,
      title: String(number),
    }))
    await append(database, ...specs)
    if (number === 30) await first.stop()
    if (number === 40) await startSending(database)
  }
  await eventually(() => deliveriesOf(database, "random"), allAre("delivered", 300), 40_000)
  expect(wrong).toEqual([])
  expect([...last.values()]).toEqual([60, 60, 60, 60, 60])
}, 60_000)

test("without order, what fails goes round and holds up nothing, not even its own entity", async () => {
  const seen: string[] = []
  const receiver = await startReceiver(({ json }) => {
    if (json.title === "bad") return 500
    seen.push(json.title)
    return 204
  })
  await subscribe(database, "unordered", receiver.url)
  await startSending(database)
  const about = { type: "unordered.it.happened", entity: "x:y:1" }
  await append(database, { ...about, title: "bad" }, { ...about, title: "1" }, { ...about, title: "2" })
  await eventually(
    () => seen,
    (titles) => titles.length === 2,
  )
  const [bad] = await eventually(
    () => deliveriesOf(database, "unordered"),
    ([first]) => first?.status !== "running", // what came of it is written a moment later
  )
  expect(bad).toMatchObject({ status: "retrying", attempts: 1, last_error: "the receiver answered 500" })
})

test("one that hangs and one that refuses keep no other waiting", async () => {
  const open: ServerResponse[] = []
  const silent = await startReceiver((_request, response) => void open.push(response))
  let sockets = 0
  silent.server.on("connection", () => sockets++)
  const gone = await startReceiver()
  gone.server.close()
  const good = await Promise.all(Array.from({ length: 8 }, () => startReceiver()))
  const receivers = new Map([
    ["silent", silent],
    ["gone", gone],
  ])
  for (const [index, receiver] of good.entries()) receivers.set(`${index}`, receiver)
  for (const [name, { url }] of receivers) {
    await subscribe(database, `company-${name}`, url, { filter: { types: ["company.*"] }, timeoutMs: 60_000 })
  }
  await startSending(database)
  await append(database, ...Array.from({ length: 150 }, () => ({ type: "company.it.happened" })))
  for (const index of good.keys()) {
    await eventually(() => deliveriesOf(database, `company-${index}`), allAre("delivered", 150), 60_000)
  }
  // All of them were done while the first request to the one that hangs was open still. Of that one as many
  // hang as may run at a time, each on a connection of its own, and no more.
  expect(open[0]?.destroyed).toBe(false)
  expect(silent.received).toHaveLength(16)
  expect(sockets).toBe(16)
  // What refuses is left alone after a few, each of which is due again.
  const refused = await deliveriesOf(database, "company-gone")
  const tried = refused.filter(({ last_error }) => last_error?.startsWith("ECONNREFUSED") === true)
  expect(tried.length).toBeGreaterThanOrEqual(5)
  expect(tried.length).toBeLessThanOrEqual(32)
}, 120_000)

test("what a process had under way when it ended is sent again, side by side, its attempts counted", async () => {
  let running = 0
  let most = 0
  const receiver = await startReceiver(async () => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve, 20))
    running--
    return 204
  })
  const { id } = await subscribe(database, "interrupted", receiver.url, { ordered: true })
  const first = await startSending(database)
  await append(
    database,
    ...Array.from({ length: 20 }, (_, n) => ({ type: "interrupted.a.b", entity: `x:y:${n}` })),
  )
  await eventually(() => deliveriesOf(database, "interrupted"), allAre("delivered", 20))
  await first.stop()
  // As its rows would be had it ended before an answer came.
  await database.work.query(
    "update event_deliveries set status = 'running', finished_at = null where subscription_id = $1",
    [id],
  )
  most = 0
  await startSending(database)
  const rows = await eventually(() => deliveriesOf(database, "interrupted"), allAre("delivered", 20))
  expect(new Set(rows.map(({ attempts }) => attempts))).toEqual(new Set([2]))
  expect(most).toBeGreaterThan(1)
})

test("no more run at a time than the subscription says, over all its partitions", async () => {
  let running = 0
  let most = 0
  const receiver = await startReceiver(async () => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve, 5))
    running--
    return 204
  })
  await subscribe(database, "limited", receiver.url, { concurrency: 6, partitions: 3 })
  await startSending(database)
  await append(
    database,
    ...Array.from({ length: 120 }, (_, n) => ({ type: "limited.a.b", entity: `x:y:${n}` })),
  )
  await eventually(() => deliveriesOf(database, "limited"), allAre("delivered", 120))
  expect(most).toBeLessThanOrEqual(6)
  expect(most).toBeGreaterThan(2)
})

test("nothing but failures for long disables it, with an event in the same transaction", async () => {
  const receiver = await startReceiver(() => 500)
  const { id } = await subscribe(database, "hopeless", receiver.url, { retrySchedule: Array(30).fill(0) })
  const alerts: unknown[] = []
  await startSending(database, { disableAfterMs: 0, publish: async (_tx, event) => alerts.push(event) })
  await append(database, ...Array.from({ length: 20 }, () => ({ type: "hopeless.it.happened" })))
  // The breaker has opened after a few: the rest would take as long as it means to. So the health is told of more.
  await eventually(
    async () => {
      await database.work.query("update webhook_health set failures = 50 where subscription_id = $1", [id])
      const { rows } = await database.work.query<{ status: string }>(
        "select status from stream_subscriptions where id = $1",
        [id],
      )
      return rows[0]?.status
    },
    (status) => status === "disabled",
  )
  expect(alerts).toMatchObject([
    {
      type: "signalbox.subscription.disabled",
      payload: {
        subscription: { name: "hopeless" },
        reason: expect.stringContaining("nothing but failures since"),
      },
    },
  ])
})

test("waits follow the schedule with a fifth of chance, and Retry-After is heeded up to an hour", () => {
  expect(standardSchedule.map((_, index) => retryWait(standardSchedule, index + 1, 0.5))).toEqual(
    standardSchedule.map((seconds) => seconds * 1_000),
  )
  expect(retryWait([10], 1, 0)).toBe(8_000)
  expect(retryWait([10], 1, 0.999_999)).toBeCloseTo(12_000, 0)
  expect(retryWait([10], 2, 0.5)).toBeUndefined()
  const now = new Date("2026-11-21T12:00:00Z")
  expect(retryAfterMs("120", now)).toBe(120_000)
  expect(retryAfterMs("Sat, 21 Nov 2026 12:00:30 GMT", now)).toBe(30_000)
  expect(retryAfterMs("999999", now)).toBe(3_600_000)
  for (const nonsense of [null, "", "soon", "-5", "Sat, 21 Nov 2020 12:00:30 GMT"]) {
    expect(retryAfterMs(nonsense, now)).toBe(0)
  }
})

test("a rate lets a second's worth through at once and then one after another", () => {
  const rate = createRateLimit(2)
  const starts: number[] = []
  for (let now = 0; starts.length < 6; now = rate.nextAt(now, 1)) {
    if (rate.nextAt(now, 1) > now) continue
    rate.take(now, 1)
    starts.push(now)
  }
  expect(starts).toEqual([0, 0, 500, 1_000, 1_500, 2_000])
})
