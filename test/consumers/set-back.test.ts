import { Writable } from "node:stream"
import { afterEach, expect, test } from "vitest"
import { createConsumers, type Consumers, type LogListener } from "../../src/consumers/create-consumers.ts"
import type { ConsumerDefinition } from "../../src/consumers/definition.ts"
import { createLog } from "../../src/core/log.ts"
import { transaction } from "../../src/store/database.ts"
import { logHead } from "../../src/store/log-pages.ts"
import { judgePlace } from "../../src/store/log-publications.ts"
import { testDatabase } from "../support/database.ts"
import { logEventsIn } from "../support/events.ts"
import { append, eventually, handler, readerOf } from "./log.ts"

const database = await testDatabase()
const open: Consumers[] = []
let said = ""
const log = createLog(
  "error",
  new Writable({
    write(chunk: Buffer, _encoding, done) {
      said += chunk.toString()
      done()
    },
  }),
)

afterEach(async () => {
  said = ""
  await Promise.all(open.splice(0).map((consumers) => consumers.stop()))
})

/** Consumers as a hub makes them; `setBack` is what its feed says. */
function machine(): { consumers: Consumers; setBack: () => void } {
  const listeners = new Set<LogListener>()
  const consumers = createConsumers({
    database,
    read: readerOf(database),
    holds: async (place) => (await judgePlace(database.work, place)) !== "other",
    onNews: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    log,
    beatMs: 50,
  })
  open.push(consumers)
  return { consumers, setBack: () => listeners.forEach((listener) => listener.setBack()) }
}

const recorder = (name: string, runs: string[], options?: Partial<ConsumerDefinition>): ConsumerDefinition =>
  handler(name, (event) => void runs.push(event.title ?? ""), options)

const titled = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, n) => ({ title: `${prefix}-${n}` }))
const titles = (prefix: string, count: number) => titled(prefix, count).map(({ title }) => title)

/** What a restore or a lossy failover leaves: the log, its cursors and deliveries of before, and what came since. */
async function setBackTo(position: number, cursor: number, since: number): Promise<void> {
  await transaction(database.work, async (db) => {
    await db.query("lock table event_log_head, subscription_partitions in access exclusive mode")
    await db.query("delete from event_deliveries where position > $1", [position])
    await db.query("delete from event_log where position > $1", [position])
    await db.query("update event_log_head set position = $1", [position])
    await db.query("update subscription_partitions set position = least(position, $1)", [cursor])
    if (since > 0) await logEventsIn(db, titled("new", since))
  })
}

test.each([
  ["that has not grown past its old end", 3],
  ["that has grown past its old end", 12],
])("every event of a log %s when it was set back is run, told or not", async (_, since) => {
  for (const isTold of [true, false]) {
    const runs: string[] = []
    const callbacks: string[] = []
    const { consumers, setBack } = machine()
    const name = `${since}-${isTold}`
    consumers.add(recorder(name, runs, { partitions: 2 }))
    const follower = consumers.follow({ ...recorder(name, callbacks), from: await logHead(database.work) })
    await consumers.start()
    await follower.ready
    await append(database, ...titled("old", 10))
    consumers.wake()
    await eventually(
      () => runs.length + callbacks.length,
      (count) => count === 20,
    )
    const end = await logHead(database.work)
    await setBackTo(end - 5, end - 7, since)
    if (isTold) setBack()
    await eventually(
      () => runs.filter((title) => title.startsWith("new")).length,
      (count) => count === since,
    )
    await append(database, ...titled("later", 8))
    consumers.wake()
    await eventually(
      () => runs.filter((title) => title.startsWith("later")).length,
      (count) => count === 8,
    )
    await eventually(
      () => callbacks.filter((title) => title.startsWith("later")).length,
      (count) => count === 8,
    )
    const fresh = runs.slice(10).filter((title) => !title.startsWith("old"))
    expect(fresh.toSorted()).toEqual([...titles("later", 8), ...titles("new", since)].toSorted())
    // Nothing of what the log has no more.
    expect(
      runs.slice(10).filter((title) => ["old-5", "old-6", "old-7", "old-8", "old-9"].includes(title)),
    ).toEqual([])
    await consumers.stop()
  }
})

test("a cursor beyond the end of the log goes on from there, and says so", async () => {
  const runs: string[] = []
  const first = machine()
  first.consumers.add(recorder("beyond", runs))
  await first.consumers.start()
  await append(database, ...titled("old", 4))
  first.consumers.wake()
  await eventually(
    () => runs.length,
    (count) => count === 4,
  )
  await first.consumers.stop()
  const end = await logHead(database.work)
  await setBackTo(end - 3, end + 100, 0)

  const second = machine()
  second.consumers.add(recorder("beyond", runs))
  await second.consumers.start()
  await eventually(
    () => said,
    (text) => text.includes("beyond the end of the log"),
  )
  await append(database, ...titled("new", 2))
  second.consumers.wake()
  await eventually(
    () => runs.length,
    (count) => count === 6,
  )
  await second.consumers.stop()
  // The stored cursor went back as well: what comes while nobody runs is not behind it.
  await append(database, ...titled("more", 1))
  const third = machine()
  third.consumers.add(recorder("beyond", runs))
  await third.consumers.start()
  await eventually(
    () => runs.length,
    (count) => count === 7,
  )
  expect(runs.slice(4)).toEqual(["new-0", "new-1", "more-0"])
  expect(said.match(/beyond the end of the log/g)).toHaveLength(1)
})
