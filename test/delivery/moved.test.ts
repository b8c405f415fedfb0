import { afterEach, expect, test } from "vitest"
import { noteHealth, webhookHealth } from "../../src/store/webhook-health.ts"
import { noteRests, webhookRests } from "../../src/store/webhook-rests.ts"
import { setWebhookStatus } from "../../src/store/webhook-subscriptions.ts"
import { append, deliveriesOf, eventually } from "../consumers/log.ts"
import { testDatabase } from "../support/database.ts"
import { administer, startSending, subscribe } from "./machine.ts"
import { startReceiver } from "./receiver.ts"

const database = await testDatabase()
afterEach(() => database.work.query("delete from stream_subscriptions"))

const allAre = (status: string, count: number) => (rows: { status: string }[]) =>
  rows.length === count && rows.every((row) => row.status === status)

const statusOf = (id: string) => async () => {
  const { rows } = await database.work.query<{ status: string }>(
    "select status from stream_subscriptions where id = $1",
    [id],
  )
  return rows[0]?.status
}

const seen = {
  lastSuccessAt: null,
  lastFailureAt: new Date("2026-11-20T00:00:00Z"),
  failingSince: new Date("2026-11-18T00:00:00Z"),
  failures: 40,
  lastError: "the receiver answered 500",
}

test("a receiver at another address is not spared for what the one before it did", async () => {
  const [old, moved] = [await startReceiver(() => 500), await startReceiver()]
  const { id } = await subscribe(database, "moved", old.url, { retrySchedule: Array(30).fill(0) })
  const first = await startSending(database)
  await append(database, ...Array.from({ length: 20 }, () => ({ type: "moved.it.happened" })))
  const known = () => webhookRests(database.work)
  await eventually(known, (rests) => (rests.get(id)?.intervalMs ?? 0) > 0)
  await first.stop()
  await noteRests(database.work, [{ subscriptionId: id, url: old.url, restMs: 900_000, intervalMs: 900_000 }])

  await administer(database).edit("default", "moved", { timeoutMs: 5_000 })
  expect((await known()).get(id)?.restMs).toBeGreaterThan(800_000) // it is the same receiver still
  await administer(database).edit("default", "moved", { url: moved.url })
  expect((await known()).has(id)).toBe(false)
  await startSending(database)
  await eventually(() => deliveriesOf(database, "moved"), allAre("delivered", 20))
  expect(moved.received.length).toBeGreaterThan(0)
})

test("what a process saw of an address says nothing of the next one", async () => {
  const { id, url } = await subscribe(database, "late", "http://127.0.0.1:9/old")
  await noteHealth(database.work, [{ subscriptionId: id, url, ...seen }])
  await administer(database).edit("default", "late", { url: "http://127.0.0.1:9/new" })
  const health = async () => (await webhookHealth(database.work, [id])).get(id)
  expect(await health()).toMatchObject({ failingSince: null, failures: 0 })

  await noteHealth(database.work, [{ subscriptionId: id, url, ...seen }])
  await noteRests(database.work, [{ subscriptionId: id, url, restMs: 60_000, intervalMs: 60_000 }])
  expect(await health()).toMatchObject({ failingSince: null, failures: 0 })
  expect((await webhookRests(database.work)).has(id)).toBe(false)
})

test("one that wants nothing any more is disabled, however often that fails at first", async () => {
  const receiver = await startReceiver(() => 410)
  const { id } = await subscribe(database, "gone", receiver.url)
  let tries = 0
  await startSending(database, {
    publish: async () => {
      if (++tries < 4) throw new Error("the outbox is full")
    },
  })
  await append(database, { type: "gone.it.happened" })
  await eventually(statusOf(id), (status) => status === "disabled")
  expect(tries).toBe(4)
})

test("one that is resumed as soon as it was disabled is sent to", async () => {
  const receiver = await startReceiver(() => (receiver.received.length === 1 ? 410 : 204))
  const { id } = await subscribe(database, "resumed", receiver.url)
  await startSending(database, {
    // In the same transaction, so that no process ever sees it disabled.
    publish: async (tx) => setWebhookStatus(tx, id, "active"),
  })
  await append(database, { type: "resumed.it.happened" })
  await eventually(() => deliveriesOf(database, "resumed"), allAre("delivered", 1))
  expect(receiver.received).toHaveLength(2)
})

test("one that was given another address is not disabled for the last word of the one before", async () => {
  const answered = Promise.withResolvers<void>()
  const old = await startReceiver(async () => (await answered.promise, 410))
  const moved = await startReceiver()
  const { id } = await subscribe(database, "followed", old.url)
  await startSending(database, { pollMs: 60_000 })
  await append(database, { type: "followed.it.happened" })
  await eventually(
    () => old.received,
    ({ length }) => length === 1,
  )
  await administer(database).edit("default", "followed", { url: moved.url })
  answered.resolve()
  await eventually(() => deliveriesOf(database, "followed"), allAre("delivered", 1))
  expect(await statusOf(id)()).toBe("active")
})
