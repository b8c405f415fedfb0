import { expect, test } from "vitest"
import { openDatabase } from "../../src/store/database.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { streamServer } from "./support/server.ts"

const database = await testDatabase()
const server = await streamServer(database)

async function head(): Promise<number> {
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  return rows[0]?.position ?? 0
}

test("an event comes out as the log has it: id, type, and the JSON of the event", async () => {
  const client = await server.open()
  const [event] = await logEvents(database.work, [
    {
      platform: "github",
      type: "github.pull_request.opened",
      actor: { id: "7", name: "dev", bot: false },
      entity: "github:pull_request:acme/api#42",
      title: "Fix",
      payload: { action: "opened" },
      references: [
        { entity: "linear:issue:ENG-1", relation: "closes", evidence: { field: "title", text: "ENG-1" } },
        {
          entity: "github:commit:abc",
          relation: "head",
          evidence: { field: "sha", text: "abc" },
          subject: "x",
        },
      ],
    },
  ])
  await client.count(1)
  const [message] = client.messages
  expect(message?.type).toBe("github.pull_request.opened")
  expect(JSON.parse(message?.data ?? "")).toEqual({
    id: event?.id,
    position: Number(message?.lastEventId),
    tenant: "default",
    platform: "github",
    source: "test",
    type: "github.pull_request.opened",
    name: "thing",
    deliveryId: event?.id,
    actor: { id: "7", name: "dev", bot: false },
    entity: "github:pull_request:acme/api#42",
    references: [
      { entity: "linear:issue:ENG-1", relation: "closes", evidence: { field: "title", text: "ENG-1" } },
      {
        entity: "github:commit:abc",
        relation: "head",
        evidence: { field: "sha", text: "abc" },
        subject: "x",
      },
    ],
    title: "Fix",
    url: null,
    priority: "normal",
    occurredAt: event?.occurredAt?.toISOString(),
    receivedAt: event?.receivedAt.toISOString(),
    correlationId: event?.id,
    causationId: null,
    backfilled: false,
    payload: { action: "opened" },
  })
  client.cut()
})

test("the head and the first bytes come at once, before any event", async () => {
  const client = await server.open()
  expect(client.response.statusCode).toBe(200)
  expect(client.response.headers).toMatchObject({
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
    "x-request-id": "r-1", // what middleware has set is kept
    "access-control-allow-origin": "*",
  })
  await client.until(() => client.parser.retry === 500)
  expect(client.parser.comments[0]).toBe(`from position ${await head()}`)
  expect(client.messages).toEqual([])
  client.cut()
})

test("a stream lives without any middleware around it, too", async () => {
  const bare = await streamServer(database, { middleware: false })
  const client = await bare.open()
  await client.until(() => client.parser.lastEventId !== "")
  await logEvents(database.work, [{}])
  await client.count(1)
  expect(client.positions()).toEqual([await head()])
  await bare.stop()
})

test("a client cut off before its first event misses nothing that happened in between", async () => {
  const first = await server.open("?types=test.between.**")
  await first.until(() => first.parser.lastEventId !== "")
  first.cut()
  const [event] = await logEvents(database.work, [{ type: "test.between.cut" }])
  const second = await server.open("?types=test.between.**", { "last-event-id": first.parser.lastEventId })
  await second.count(1)
  expect(JSON.parse(second.messages[0]?.data ?? "")).toMatchObject({ id: event?.id })
  second.cut()
})

test("after names where to begin, and Last-Event-ID wins over it", async () => {
  const before = await head()
  await logEvents(database.work, [{}, {}, {}])
  const now = before + 3
  const opened = {
    everything: await server.open("?after=earliest"),
    behind: await server.open(`?after=${before + 1}`),
    resumed: await server.open("?after=earliest", { "last-event-id": `${before + 2}` }),
    news: await server.open(),
    latest: await server.open("?after=latest"),
    unset: await server.open(`?after=${before + 2}`, { "last-event-id": "" }),
  }
  await logEvents(database.work, [{}])
  const all = Array.from({ length: now + 1 }, (_, index) => index + 1)
  const expected = {
    everything: all,
    behind: [before + 2, now, now + 1],
    resumed: [now, now + 1],
    news: [now + 1],
    latest: [now + 1],
    unset: [now, now + 1],
  }
  for (const [name, positions] of Object.entries(expected)) {
    const client = opened[name as keyof typeof opened]
    await client.count(positions.length)
    expect({ [name]: client.positions() }).toEqual({ [name]: positions })
    client.cut()
  }
})

test.each([
  ["?after=yesterday", "after must be a position"],
  ["?after=-1", "after must be a position"],
  ["?after=", "after must be a position"],
  ["?after=1.5", "after must be a position"],
  ["?after=99999999999999999999", "after must be a position"],
  ["?after=1&after=2", "after is given more than once"],
  ["?heartbeat=0", "heartbeat must be"],
  ["?heartbeat=301", "heartbeat must be"],
  ["?heartbeat=soon", "heartbeat must be"],
  ["?filter={", "not valid JSON"],
  ['?filter={"kinds":[]}', "unknown key kinds"],
  ["?type=github.*", "unknown query parameter type; known: after, filter, heartbeat, platforms, types"],
  ["?types=", "types: must not be empty"],
  ["?platforms=gitlab", "platforms.0"],
  ['?types=a.b&filter={"types":["a.b"]}', "types is given both"],
  ['?filter={"where":{"payload.x":{"$regex":"(a"}}}', "unmatched"],
])("%s is a 400 that says what is wrong", async (query, reason) => {
  const response = await fetch(`${server.url}/api/v1/events/stream${query}`)
  expect(response.status).toBe(400)
  expect(response.headers.get("content-type")).toBe("application/problem+json")
  expect(await response.json()).toMatchObject({ status: 400, detail: expect.stringContaining(reason) })
})

test("an empty Last-Event-ID is none, and leaves the word to after", async () => {
  const response = await fetch(`${server.url}/api/v1/events/stream?after=`, {
    headers: { "last-event-id": "" },
  })
  expect(response.status).toBe(400)
  const client = await server.open("", { "last-event-id": "" })
  expect(client.response.statusCode).toBe(200)
  client.cut()
})

test("a Last-Event-ID that is none is a 400, one beyond the end of the log a 409", async () => {
  const url = `${server.url}/api/v1/events/stream`
  const bad = await fetch(url, { headers: { "last-event-id": "abc" } })
  expect(bad.status).toBe(400)
  const beyond = await fetch(url, { headers: { "last-event-id": String((await head()) + 1) } })
  expect(beyond.status).toBe(409)
  expect(await beyond.json()).toMatchObject({ detail: expect.stringContaining("beyond the end of the log") })
})

test("a named stream shows what its definition lets pass, and narrows further by the request's filter", async () => {
  const start = await head()
  await database.work.query(
    `insert into event_streams (tenant, name, filter) values
       ('default', 'mine', '{"types": ["github.**"]}'), ('acme', 'theirs', '{}')`,
  )
  await logEvents(database.work, [
    { platform: "github", type: "github.pull_request.opened" },
    { platform: "github", type: "github.push.pushed" },
    { platform: "linear", type: "linear.issue.update", priority: "high" },
  ])
  const cases = {
    "/api/v1/streams/pr_events/sse": [start + 1],
    "/api/v1/streams/issue_events/sse": [start + 3],
    "/api/v1/streams/high_priority/sse": [start + 3],
    "/api/v1/streams/mine/sse": [start + 1, start + 2],
    "/api/v1/streams/mine/sse?types=**.pushed": [start + 2],
    "/api/v1/events/stream?platforms=linear,github&types=linear.*&types=**.pushed": [start + 2, start + 3],
  }
  await logEvents(database.work, [
    { platform: "github", type: "github.pull_request.end", priority: "high" },
    { platform: "linear", type: "linear.issue.end", priority: "high" },
    { platform: "github", type: "github.end.pushed", priority: "high" },
  ])
  for (const [path, positions] of Object.entries(cases)) {
    const client = await server.open(path, { "last-event-id": String(start) })
    await client.until(() => client.messages.some(({ type }) => type.includes("end")))
    expect({ [path]: client.positions().slice(0, positions.length) }).toEqual({ [path]: positions })
    client.cut()
  }
  for (const name of ["nothing", "theirs", "Mine", "x'--", "%00"]) {
    const response = await fetch(`${server.url}/api/v1/streams/${name}/sse`)
    expect(response.status).toBe(404)
  }
})

test("a tenant sees its own events and no other's, live and in history", async () => {
  const start = await head()
  const live = await server.open("?after=latest", { "x-tenant": "acme" })
  await live.until(() => live.parser.lastEventId !== "")
  const events = await logEvents(database.work, [
    { tenant: "acme", title: "theirs" },
    { title: "ours" },
    { tenant: "acme", title: "theirs" },
  ])
  await live.count(2)
  const history = await server.open(`?after=${start}`, { "x-tenant": "acme" })
  await history.count(2)
  const other = await server.open(`?after=${start}`)
  await other.count(1)
  await logEvents(database.work, [{ tenant: "acme" }, {}])
  await live.count(3)
  await history.count(3)
  await other.count(2)
  expect(live.positions()).toEqual([start + 1, start + 3, start + 4])
  expect(history.positions()).toEqual([start + 1, start + 3, start + 4])
  expect(other.positions()).toEqual([start + 2, start + 5])
  expect(other.messages.map(({ data }) => JSON.parse(data).id)[0]).toBe(events[1]?.id)
  for (const client of [live, history, other]) client.cut()
})

test("heartbeats come in silence, and carry the position past all that was filtered out", async () => {
  const client = await server.open("?types=never.happens&heartbeat=1")
  await client.until(() => client.parser.comments.length >= 2)
  const silent = client.parser.lastEventId
  await logEvents(database.work, [{}, {}])
  await client.until(() => client.parser.lastEventId !== silent)
  expect(Number(client.parser.lastEventId)).toBe(await head())
  expect(client.messages).toEqual([]) // nothing is dispatched for it
  client.cut()
})

test("HEAD answers with the head alone", async () => {
  const response = await fetch(`${server.url}/api/v1/events/stream`, { method: "HEAD" })
  expect(response.status).toBe(200)
  expect(response.headers.get("content-type")).toContain("text/event-stream")
  expect(server.streaming.connections.stats().open).toBe(0)
})

test("more streams than allowed are a 503 with Retry-After, and room is made when one ends", async () => {
  const small = await streamServer(database, { maxClients: 1 })
  const client = await small.open()
  const refused = await fetch(`${small.url}/api/v1/events/stream`)
  expect(refused.status).toBe(503)
  expect(refused.headers.get("retry-after")).toBe("5")
  client.cut()
  await expect.poll(() => small.streaming.connections.stats().open).toBe(0)
  const next = await small.open()
  expect(next.response.statusCode).toBe(200)
  await small.stop()
})

test("a stop ends every stream whole, with a hint when to come back", async () => {
  const stopping = await streamServer(database)
  const client = await stopping.open("?after=earliest")
  await client.count(1)
  await stopping.stop()
  await client.closed
  expect(client.response.complete).toBe(true)
  expect(client.parser.retry).toBeGreaterThanOrEqual(1000)
  expect(client.parser.retry).not.toBe(500)
})

test("without the database the answer is a 503", async () => {
  const away = openDatabase({ url: "postgres://postgres@127.0.0.1:1/none" })
  const alone = await streamServer(away)
  const response = await fetch(`${alone.url}/api/v1/events/stream`)
  expect(response.status).toBe(503)
  expect(response.headers.get("retry-after")).toBe("2")
  await alone.stop()
  await away.close()
})
