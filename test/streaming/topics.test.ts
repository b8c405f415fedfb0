import { expect, test } from "vitest"
import { WebSocket } from "ws"
import { createPool } from "../../src/store/database.ts"
import { deleteStream, insertStream, updateStream, type StreamSettings } from "../../src/store/streams.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import type { TestClient } from "./support/client.ts"
import { streamServer } from "./support/server.ts"

const database = await testDatabase()
const server = await streamServer(database)
/** A second process on the same database. */
const other = await streamServer(database)

const none: StreamSettings = { filter: {}, routes: null, retentionSeconds: null, partitions: null }

async function make(name: string, settings: Partial<StreamSettings>, tenant = "default"): Promise<void> {
  expect(await insertStream(database.work, tenant, name, { ...none, ...settings })).toBeDefined()
}

async function head(): Promise<number> {
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  return rows[0]?.position ?? 0
}

/** Logs events of these types, and answers the position before the first. */
async function log(...types: string[]): Promise<number> {
  const before = await head()
  await logEvents(
    database.work,
    types.map((type) => ({ type })),
  )
  return before
}

/** Whether the log is cut off here for a stream: what is older than an hour. */
async function age(upTo: number): Promise<void> {
  await database.work.query(
    "update event_log set appended_at = now() - interval '2 hours' where position <= $1",
    [upTo],
  )
}

const eventually = { timeout: 20_000, interval: 100 }

const endOf = ({ messages }: TestClient) => {
  const last = messages.at(-1)
  return last?.type === "end" ? (JSON.parse(last.data) as { reason: string; detail: string }) : undefined
}

test("an event belongs to a stream with routes if any of them takes it, within the stream's filter", async () => {
  await make("routed", {
    filter: { sources: ["mine"] },
    routes: [{ types: ["a.*"] }, { types: ["b.x"] }],
  })
  const before = await head()
  await logEvents(
    database.work,
    ["a.one", "b.x", "b.y", "c.z"].map((type) => ({ type, source: "mine" })),
  )
  const client = await server.open(`/api/v1/streams/routed/sse?after=${before}&heartbeat=1`)
  await client.until(() => Number(client.parser.lastEventId) >= before + 4)
  expect(client.positions()).toEqual([before + 1, before + 2])
  await logEvents(database.work, [
    { type: "b.x", source: "another" },
    { type: "b.y", source: "mine" },
    { type: "b.x", source: "mine" },
  ])
  await client.until(() => client.messages.length === 3)
  expect(client.messages.at(-1)?.type).toBe("b.x")
  client.cut()
})

test("topics are read as one: each event once, in order, from history and live, over SSE and WebSocket", async () => {
  await make("deploys.eu.prod", { filter: { types: ["d.eu.*", "d.both"] } })
  await make("deploys.us", { filter: { types: ["d.us", "d.both"] } })
  await make("deploys.us", { filter: {} }, "acme")
  const before = await log("d.eu.1", "d.us", "d.both", "d.other")
  const query = `topics=deploys.**&after=${before}`
  const sse = await server.open(`?${query}`)
  const websocket = new WebSocket(`${server.url.replace("http", "ws")}/api/v1/events/stream?${query}`)
  const positions: number[] = []
  websocket.on("message", (data: Buffer) => {
    const { kind, position } = JSON.parse(data.toString()) as { kind: string; position: number }
    if (kind === "event") positions.push(position)
  })
  await sse.count(3)
  const after = await log("d.both", "d.other", "d.eu.2")
  await sse.count(5)
  const wanted = [before + 1, before + 2, before + 3, after + 1, after + 3]
  expect(sse.positions()).toEqual(wanted)
  await expect.poll(() => positions, eventually).toEqual(wanted)
  websocket.terminate()
  sse.cut()

  const one = await server.open(`?topics=deploys.*,nothing.**&after=${before}`)
  await one.count(3)
  expect(one.positions()).toEqual([before + 2, before + 3, after + 1])
  const resumed = await server.open(`?topics=deploys.*,nothing.**`, { "last-event-id": String(before + 2) })
  await resumed.count(2)
  expect(resumed.positions()).toEqual([before + 3, after + 1])
  one.cut()
  resumed.cut()
})

test.each([
  ["?topics=deploys.xx", 404],
  ["?topics=deploys.us,nosuch", 404],
  ["?topics=Deploys.*", 400],
  ["?topics=", 400],
  ["?topics=deploys.us,", 400],
  ["?topics=***", 400],
  ["?topics=deploys.x***", 400],
  ["/api/v1/streams/deploys.*/sse", 404],
  ["/api/v1/streams/all_events/sse?topics=deploys.*", 400],
])("%s is refused with %i", async (query, status) => {
  const { response } = await server.open(query)
  expect(response.statusCode).toBe(status)
})

test("a stream that is changed ends at every process, and resumed it is what it is now", async () => {
  await make("moving", { filter: { types: ["m.a"] } })
  const before = await log("m.a", "m.b")
  const path = `/api/v1/streams/moving/sse?after=${before}`
  const clients = [
    await server.open(path),
    await other.open(path),
    await other.open(`?topics=mov*&after=${before}`),
  ]
  const bystander = await other.open("?topics=all_events")
  await Promise.all(clients.map((client) => client.count(1)))
  await updateStream(database.work, "default", "moving", { filter: { types: ["m.b"] } })
  for (const client of clients) {
    await client.closed
    expect(client.response.complete).toBe(true)
    expect(endOf(client)).toMatchObject({ reason: "stream_changed" })
    expect(client.parser.retry).toBeGreaterThan(0)
    expect(client.parser.lastEventId).toBe(String(before + 1))
  }
  const again = await other.open("/api/v1/streams/moving/sse", { "last-event-id": String(before + 1) })
  await again.count(1)
  expect(again.positions()).toEqual([before + 2])
  expect(bystander.response.complete).toBe(false)
  again.cut()
  bystander.cut()
})

test("a stream that is removed ends with its name, and so does a pattern that one more fits", async () => {
  await make("brief", {})
  const named = await server.open("?topics=brief,all_events")
  const pattern = await other.open("?topics=brief.**")
  await named.until(() => named.parser.lastEventId !== "")
  await make("brief.child", {})
  await pattern.closed
  expect(endOf(pattern)).toMatchObject({ reason: "stream_changed" })
  expect(named.response.complete).toBe(false)
  await deleteStream(database.work, "default", "brief")
  await named.closed
  expect(endOf(named)).toEqual({
    reason: "stream_removed",
    detail: expect.stringContaining('"brief"') as string,
  })
  expect((await server.open("?topics=brief,all_events")).response.statusCode).toBe(404)
})

test("a stream that was made a moment ago is there, although no hint has come of it", async () => {
  const before = await server.open("?topics=all_events") // what there was is believed for a while
  const owner = createPool(database.url, { max: 1 })
  await owner.query("alter table event_streams disable trigger tell_change")
  await make("newborn", {})
  const client = await server.open("/api/v1/streams/newborn/sse")
  expect(client.response.statusCode).toBe(200)
  await owner.query("alter table event_streams enable trigger tell_change")
  await owner.end()
  client.cut()
  before.cut()
})

test("a change of which no hint comes is found all the same", async () => {
  const alone = await streamServer(database, { keyCheckMs: 50 })
  await make("unheard", { filter: { types: ["u.a"] } })
  const client = await alone.open("/api/v1/streams/unheard/sse")
  await client.until(() => client.parser.lastEventId !== "")
  const owner = createPool(database.url, { max: 1 })
  await owner.query("alter table event_streams disable trigger tell_change")
  await updateStream(database.work, "default", "unheard", { filter: { types: ["u.b"] } })
  await client.closed
  expect(endOf(client)).toMatchObject({ reason: "stream_changed" })
  await owner.query("alter table event_streams enable trigger tell_change")
  await owner.end()
  await alone.stop()
})

test("a cursor from before a stream's retention is told the gap, and the earliest begins behind it", async () => {
  await make("hourly", { filter: { types: ["h.*"] }, retentionSeconds: 3_600 })
  const before = await log("h.1", "h.2", "x.1")
  await age(before + 3)
  await log("h.3")
  const told = await server.open(`/api/v1/streams/hourly/sse?after=${before}`)
  await told.count(2)
  expect(told.messages.map(({ type, data }) => [type, type === "gap" ? JSON.parse(data) : null])).toEqual([
    ["gap", { from: before + 1, to: before + 3 }],
    ["h.3", null],
  ])
  expect(told.positions()).toEqual([before + 3, before + 4])
  const within = await server.open("/api/v1/streams/hourly/sse", { "last-event-id": String(before + 3) })
  const earliest = await server.open("/api/v1/streams/hourly/sse?after=earliest")
  const whole = await server.open(`?after=${before}&types=h.*`)
  await Promise.all([within.count(1), earliest.count(1), whole.count(3)])
  expect(within.positions()).toEqual([before + 4])
  expect(earliest.positions()).toEqual([before + 4])
  expect(whole.positions()).toEqual([before + 1, before + 2, before + 4])

  const events = server.streaming.streamEvents("hourly", { tenant: "default", after: before })
  await expect(events.next()).rejects.toMatchObject({ code: "gone", status: 410 })
  const gaps: object[] = []
  const heard = server.streaming.streamEvents("hourly", {
    tenant: "default",
    after: before,
    onGap: (gap) => gaps.push(gap),
  })
  expect((await heard.next()).value?.position).toBe(before + 4)
  expect(gaps).toEqual([{ from: before + 1, to: before + 3 }])
  await heard.return()
  for (const client of [told, within, earliest, whole]) client.cut()
})

test("streams that are read as one go back as far as the one that is kept shortest", async () => {
  await make("kept.long", { filter: { types: ["k.long"] } })
  await make("kept.short", { filter: { types: ["k.short"] }, retentionSeconds: 3_600 })
  const before = await log("k.long", "k.short")
  await age(before + 2)
  await log("k.long", "k.short")
  const client = await server.open(`?topics=kept.*&after=${before}`)
  await client.count(3)
  expect(client.messages.map(({ type }) => type)).toEqual(["gap", "k.long", "k.short"])
  client.cut()
})

test("an iterable goes on with a changed stream, and throws for one that is removed", async () => {
  await make("within", { filter: { types: ["w.a"] } })
  const { streamEvents } = other.streaming
  const before = await log("w.a")
  const events = streamEvents(["within"], { tenant: "default", after: before })
  expect((await events.next()).value?.type).toBe("w.a")
  let next: string | undefined
  const taken = events.next().then(({ value }) => (next = value?.type))
  await updateStream(database.work, "default", "within", { filter: { types: ["w.b"] } })
  // What was logged before the process heard of the change may still have gone by the old definition.
  await expect
    .poll(async () => {
      await log("w.b")
      return next
    }, eventually)
    .toBe("w.b")
  await taken
  const last = (async () => {
    for await (const event of events) if (event.type !== "w.b") return event.type
    return "ended"
  })()
  last.catch(() => {})
  await deleteStream(database.work, "default", "within")
  await expect(last).rejects.toMatchObject({ code: "not_found" })
})
