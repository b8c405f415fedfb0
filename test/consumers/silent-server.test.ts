import { expect, onTestFinished, test } from "vitest"
import { createConsumers } from "../../src/consumers/create-consumers.ts"
import { silentLog } from "../../src/core/log.ts"
import { openDatabase, readAs, transaction } from "../../src/store/database.ts"
import { failureOf } from "../../src/store/failure.ts"
import { logHead } from "../../src/store/log-pages.ts"
import { allowLonger } from "../../src/store/statement-time.ts"
import { testDatabase } from "../support/database.ts"
import { startSilentProxy } from "../support/silent-proxy.ts"
import { append, deliveriesOf, eventually, handler, readerOf } from "./log.ts"

const database = await testDatabase()
const nothing = async (): Promise<void> => {}

/** The database by way of a proxy that can fall silent. */
async function behindProxy(longestMs: number) {
  const proxy = await startSilentProxy(database.url)
  const reached = openDatabase({ url: proxy.url, longestMs })
  onTestFinished(() => reached.close())
  return { ...proxy, database: reached }
}

test("consumers go on where a server vanished without a word, once their statements were too long without an answer", async () => {
  const { silence, database: reached } = await behindProxy(3_000)
  const consumers = createConsumers({
    database: reached,
    read: readerOf(reached),
    log: silentLog,
    beatMs: 50,
    leaseMs: 1_000,
  })
  onTestFinished(() => consumers.stop())
  consumers.add(handler("patient", nothing, { partitions: 2 }))
  await consumers.start()
  await append(database, { entity: "thing:1" })
  await eventually(
    () => deliveriesOf(database, "patient"),
    (rows) => rows.some(({ status }) => status === "delivered"),
  )
  silence()
  await append(database, { entity: "thing:2" }, { entity: "thing:3" })
  const rows = await eventually(
    () => deliveriesOf(database, "patient"),
    (found) => found.length === 3 && found.every(({ status }) => status !== "running"),
  )
  expect(rows.map(({ status }) => status)).toEqual(["delivered", "delivered", "delivered"])
})

test("what asks a server that vanished is told so, and the connection is not used again", async () => {
  const { silence, database: reached } = await behindProxy(2_000)
  await logHead(reached.work)
  await readAs(reached, "default", (db) => db.query("select 1"))
  silence()
  const first = [
    logHead(reached.work),
    readAs(reached, "default", (db) => db.query("select 1")),
    transaction(reached.work, (db) => db.query("select 1")),
  ]
  const outcomes = await Promise.allSettled(first)
  expect(outcomes.slice(0, 2).map(({ status }) => status)).toEqual(["rejected", "rejected"])
  expect(outcomes.map((one) => one.status === "rejected" && failureOf(one.reason))).toContain("away")
  await expect(logHead(reached.work)).resolves.toBeGreaterThanOrEqual(0)
  await expect(readAs(reached, "default", (db) => db.query("select 1"))).resolves.toBeDefined()
})

test("the server itself gives up what takes too long, before anybody takes it for gone", async () => {
  const reached = openDatabase({ url: database.url, longestMs: 1_000, maxWork: 1, maxRead: 1 })
  onTestFinished(() => reached.close())
  const slow = "select pg_sleep(30)"
  await expect(reached.work.query(slow)).rejects.toMatchObject({ code: "57014" })
  await expect(readAs(reached, "default", (db) => db.query(slow))).rejects.toMatchObject({ code: "57014" })
})

test("what may rightly take longer is given the time, for as long as its transaction goes on", async () => {
  const reached = openDatabase({ url: database.url, longestMs: 400, maxWork: 1 })
  onTestFinished(() => reached.close())
  const slept = await transaction(reached.work, async (db) => {
    await allowLonger(db, 60_000)
    return db.query("select 1 as done from pg_sleep(0.8)")
  })
  expect(slept.rows).toEqual([{ done: 1 }])
  await expect(reached.work.query("select pg_sleep(0.8)")).rejects.toMatchObject({ code: "57014" })
})

test("a server has a minute for a statement, and a reader half of one", async () => {
  const settings = async (db: typeof database.work) =>
    (await db.query<{ statement_timeout: string }>("show statement_timeout")).rows[0]?.statement_timeout
  expect(await settings(database.work)).toBe("55s")
  expect(await settings(database.read)).toBe("30s")
})
