import { afterAll, expect, it } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { createNewsDesk } from "../../src/groups/news.ts"
import { createFeed } from "../../src/streaming/feed.ts"
import { createView } from "../../src/streaming/view.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { until } from "../support/hub.ts"

const database = await testDatabase()
const feed = createFeed({ database, log: silentLog })
feed.start()
afterAll(() => feed.stop())
const all = { of: 1, has: () => true }
const viewOf = (type: string) => createView("default", [{ types: [type] }])

it("who waits is told what comes, whoever else follows the log", async () => {
  const leave = feed.subscribe({ advance: () => {}, setBack: () => {} }) // a live stream, say
  await until(
    async () => feed.following,
    (follows) => follows,
  )
  const desk = createNewsDesk(feed)
  const ending = new AbortController()
  const waiting = desk.next("group", createView("default", []), all, ending.signal)
  const [logged] = await logEvents(database.work, [{}])
  await until(
    async () => feed.position,
    (position) => position === 1,
  )
  ending.abort()
  const { events, upTo } = await waiting
  leave()
  expect([upTo, events.map(({ entry }) => entry.event.id)]).toEqual([1, [logged?.id]])
})

it("who began to wait before the stream was changed gets what it was, and who came later what it is", async () => {
  const desk = createNewsDesk(feed)
  const stop = desk.follow()
  await until(
    async () => feed.following,
    (follows) => follows,
  )
  const ending = new AbortController()
  const before = desk.next("group", viewOf("thing.old"), all, ending.signal)
  const after = desk.next("group", viewOf("thing.new"), all, ending.signal)
  await logEvents(database.work, [{ type: "thing.new" }, { type: "thing.old" }])
  const types = (news: Awaited<typeof before>) => news.events.map(({ entry }) => entry.event.type)
  expect(types(await before)).toEqual(["thing.old"])
  expect(types(await after)).toEqual(["thing.new"])
  stop()
})
