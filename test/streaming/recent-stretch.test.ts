import { afterAll, expect, test } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { transaction } from "../../src/store/database.ts"
import { readLogPage } from "../../src/store/log-pages.ts"
import { createFeed } from "../../src/streaming/feed.ts"
import { recentStretch } from "../../src/streaming/recent-stretch.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents, logEventsIn } from "../support/events.ts"
import { until } from "../support/hub.ts"

const database = await testDatabase()
const feed = createFeed({ database, log: silentLog, ringBytes: 2 << 20 })
feed.start()
afterAll(() => feed.stop())

const everything = { advance: () => {}, setBack: () => {} }
const stored = async (after: number) => (await readLogPage(database.work, after, 1 << 20)).items

async function caughtUp(): Promise<number> {
  const head = await feed.head()
  await until(
    async () => feed.position,
    (position) => position === head,
  )
  return head
}

async function follows(wanted: boolean): Promise<void> {
  await until(
    async () => feed.following,
    (following) => following === wanted,
  )
}

test("what the feed has read is what the store tells, who alone tells of holes", async () => {
  await logEvents(database.work, [{}, { payload: { token: "as it came" } }])
  expect(recentStretch(feed, 0)).toBeUndefined() // nobody listens, so it does not follow the log
  const leave = feed.subscribe(everything)
  await follows(true)
  const start = await caughtUp()
  await transaction(database.work, async (db) => {
    await logEventsIn(db, [{}, {}, {}, {}])
    await db.query("delete from event_log where position in ($1, $2)", [start + 2, start + 3])
  })
  const head = await caughtUp()
  for (let after = start - 2; after < start + 3; after++) expect(recentStretch(feed, after)).toBeUndefined()
  for (const after of [start + 3, head]) {
    expect(recentStretch(feed, after)).toEqual({ items: await stored(after), upTo: head })
  }
  expect(recentStretch(feed, head + 5)).toEqual({ items: [], upTo: head + 5 }) // ahead of the feed
  leave()
})

test("a stretch ends where there is more, and what is held no longer is not told", async () => {
  const leave = feed.subscribe(everything)
  await follows(true)
  const start = await caughtUp()
  await logEvents(
    database.work,
    Array.from({ length: 300 }, () => ({})),
  )
  const head = await caughtUp()
  expect(recentStretch(feed, start)).toMatchObject({ upTo: start + 256 })
  expect(recentStretch(feed, start + 256)).toEqual({ items: await stored(start + 256), upTo: head })
  const text = "x".repeat(1 << 20)
  await logEvents(database.work, [{ payload: { text } }])
  const end = await caughtUp()
  expect(recentStretch(feed, head - 1)).toBeUndefined()
  expect(recentStretch(feed, head)?.items).toHaveLength(1)
  expect(recentStretch(feed, head)?.upTo).toBe(end)
  leave()
  await logEvents(database.work, [{}]) // at which it finds that nobody listens
  await follows(false)
  expect(recentStretch(feed, end)).toBeUndefined()
})
