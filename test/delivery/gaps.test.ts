import { afterEach, expect, test } from "vitest"
import { publish } from "../../src/outbox/publish.ts"
import { logHead } from "../../src/store/log-pages.ts"
import { append, deliveriesOf, eventually } from "../consumers/log.ts"
import { dropFromLog } from "../consumers/retention.ts"
import { testDatabase } from "../support/database.ts"
import { administer, startSending } from "./machine.ts"
import { startReceiver } from "./receiver.ts"

const database = await testDatabase()
afterEach(() => database.work.query("delete from stream_subscriptions"))

async function published() {
  const { rows } = await database.work.query(
    "select tenant, event_type as type, payload from outbox order by id",
  )
  return rows
}

test("an event tells once of what retention has dropped before a subscription came to it", async () => {
  const start = await logHead(database.work)
  await append(database, {}, {}, {}, {})
  await dropFromLog(database, [start + 2, start + 3])
  const receiver = await startReceiver(() => 204)
  const { row } = await administer(database).create("default", {
    name: "late",
    url: receiver.url,
    from: start,
  })
  const delivered = (count: number) =>
    eventually(
      () => deliveriesOf(database, "late"),
      (rows) => rows.length === count && rows.every(({ status }) => status === "delivered"),
    )
  const first = await startSending(database, { publish })
  await delivered(2)
  const subscription = { id: row.id, name: "late", stream: "all_events" }
  const alert = {
    tenant: "default",
    type: "signalbox.subscription.gap",
    payload: expect.objectContaining({
      priority: "high",
      payload: { subscription, gap: { from: start + 2, to: start + 3, partition: 0 } },
    }),
  }
  expect(await published()).toEqual([alert])

  await first.stop()
  await startSending(database, { publish })
  await append(database, {})
  await delivered(3)
  expect(await published()).toEqual([alert])
})

test("a subscription does not go on behind a gap of which nobody could be told", async () => {
  const start = await logHead(database.work)
  await append(database, {}, {}, {})
  await dropFromLog(database, [start + 2])
  const receiver = await startReceiver(() => 204)
  await administer(database).create("default", { name: "untold", url: receiver.url, from: start })
  let refusals = 0
  let isAway = true
  await startSending(database, {
    publish: async (db, event, options) => {
      await publish(db, event, options)
      if (event.type !== "signalbox.subscription.gap" || !isAway) return
      refusals++
      throw new Error("the database is away")
    },
  })
  const before = (await published()).length
  await eventually(
    () => refusals,
    (count) => count > 1,
  )
  expect(await deliveriesOf(database, "untold")).toHaveLength(1)
  expect(await published()).toHaveLength(before)
  isAway = false
  await eventually(
    () => deliveriesOf(database, "untold"),
    (rows) => rows.length === 2,
  )
  expect(await published()).toHaveLength(before + 1)
})
