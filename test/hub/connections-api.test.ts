import { once } from "node:events"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, it } from "vitest"
import { WebSocket } from "ws"
import { silentLog } from "../../src/core/log.ts"
import { openDatabase } from "../../src/store/database.ts"
import { createStreaming } from "../../src/streaming/streaming.ts"
import { adminKey, startTestHub } from "../support/hub.ts"

const hub = await startTestHub()

interface Connection {
  id: string
  stream: string
  transport: string
  client: string | null
  events: number
  position: number
  node: string
}

async function connections(): Promise<Connection[]> {
  const { status, body } = await hub.json("/api/v1/connections")
  expect([status, body.unanswered]).toEqual([200, []])
  return body.connections
}

/** An open SSE stream, and its text so far. */
async function stream(
  query: string,
): Promise<{ text: () => string; ended: Promise<void>; cut: () => Promise<void> }> {
  const response = await hub.request(`/api/v1/streams/all_events/sse${query}`)
  const reader = response.body!.getReader()
  let text = ""
  const ended = (async () => {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      text += Buffer.from(read.value).toString()
    }
  })().catch(() => {})
  return { text: () => text, ended, cut: () => reader.cancel() }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await condition()); waited += 20) {
    if (waited > 20_000) throw new Error("nothing in 20 s")
    await sleep(20)
  }
}

it("a long list comes in pages", async () => {
  const opened = await Promise.all([1, 2, 3].map(async () => stream("?client=paged")))
  await until(async () => (await connections()).length >= 3)
  const all = (await connections()).map(({ id }) => id)
  const paged: string[] = []
  let cursor: string | null = null
  do {
    const query: string = cursor === null ? "" : `&cursor=${cursor}`
    const { body } = await hub.json(`/api/v1/connections?limit=2${query}`)
    expect(body.connections.length).toBeLessThanOrEqual(2)
    paged.push(...body.connections.map(({ id }: Connection) => id))
    cursor = body.nextCursor
  } while (cursor !== null)
  expect(paged).toEqual(all)
  expect((await hub.json("/api/v1/connections?limit=0")).status).toBe(400)
  expect((await hub.json("/api/v1/connections?cursor=x")).status).toBe(400)
  await Promise.all(opened.map(({ cut }) => cut()))
  await until(async () => (await connections()).length === 0)

  const names = async (query: string) => (await hub.json(`/api/v1/streams${query}`)).body
  const whole = await names("")
  const first = await names("?limit=3")
  const rest = await names(`?cursor=${first.nextCursor}`)
  expect([...first.streams, ...rest.streams]).toEqual(whole.streams)
  expect([whole.nextCursor, rest.nextCursor]).toEqual([null, null])
})

it("open streams are listed with what they were sent, looked at one by one, and closed", async () => {
  const sse = await stream("?client=board")
  const websocket = new WebSocket(`${hub.url.replace("http", "ws")}/api/v1/streams/pr_events/ws`, {
    headers: { authorization: `Bearer ${adminKey}` },
  })
  await once(websocket, "message")
  const submitted = await hub.json("/api/v1/events", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ type: "custom.thing.happened" }),
  })
  expect(submitted.status).toBe(202)
  await until(() => sse.text().includes("custom.thing.happened"))
  const found = await connections()
  expect(found.map(({ stream: name, client, events }) => [name, client, events])).toEqual([
    ["all_events", "board", 1],
    ["pr_events", null, 0],
  ])
  expect(found[1]?.transport).toMatch(/^websocket/)
  const [first] = found
  const { body } = await hub.json(`/api/v1/connections/${first?.id}`)
  expect(body).toEqual(first)

  expect((await hub.request(`/api/v1/connections/${first?.id}`, { method: "DELETE" })).status).toBe(204)
  await sse.ended
  expect(sse.text()).toMatch(/retry: \d+\nevent: end\ndata: {"reason":"closed",.*}\n\n$/)
  expect((await connections()).map(({ stream: name }) => name)).toEqual(["pr_events"])
  expect((await hub.request(`/api/v1/connections/${first?.id}`, { method: "DELETE" })).status).toBe(404)
  const stats = await hub.json("/api/v1/connections/stats")
  expect(stats.body.nodes).toEqual([
    expect.objectContaining({
      open: 1,
      dropped: 0,
      byTransport: { "websocket+deflate": 1 },
      endedBy: { closed: 1 },
    }),
  ])
  const ready = await hub.json("/readyz")
  expect(ready.body).toMatchObject({ status: "ready", streams: "following" })
  websocket.terminate()
})

const say = (body: object) =>
  hub.json("/api/v1/connections/broadcast", { method: "POST", body: JSON.stringify(body) })

it("something is said to clients by name, or to all", async () => {
  const a = await stream("?client=a")
  const b = await stream("?client=b")
  await until(async () => (await connections()).length === 2)
  expect((await say({ data: { text: "line\nbreak" }, clients: ["a"] })).body.reached).toBe(1)
  await until(() => a.text().includes('event: broadcast\ndata: {"text":"line\\nbreak"}\n\n'))
  expect((await say({ data: "to all" })).body.reached).toBe(2)
  await until(() => b.text().includes('data: "to all"'))
  expect(b.text()).not.toContain("line")
  expect((await say({ data: "x".repeat(9_000) })).status).toBe(413)
  expect((await say({ clients: ["a"] })).status).toBe(400)
  await a.cut()
  await b.cut()
})

it("streams of every process are listed, and one of another process can be closed", async () => {
  const database = openDatabase({ url: hub.database.url })
  const other = createStreaming({ database, log: silentLog })
  other.start()
  const mine = await stream("?client=mine")
  await until(async () => (await hub.json("/api/v1/connections/stats")).body.nodes.length === 2)
  const { answers, unanswered } = await other.askAll({ kind: "list", tenant: null })
  expect(unanswered).toEqual([])
  const seen = answers.flatMap(({ answer }) => answer as Connection[])
  expect(seen.map(({ client }) => client)).toEqual(["mine"])
  const closed = await other.askAll({ kind: "close", tenant: "default", id: seen[0]?.id ?? "" })
  expect(new Set(closed.answers.map(({ answer }) => answer))).toEqual(new Set([false, true]))
  await mine.ended
  await other.stop()
  await database.close()
})

it("whose tenant it is not neither sees a stream nor ends it", async () => {
  const mine = await stream("")
  const [found] = await connections()
  const { body } = await hub.json("/api/v1/keys", {
    method: "POST",
    body: JSON.stringify({ name: "other", tenant: "other", scopes: ["admin"] }),
  })
  const { key } = body
  expect((await hub.json("/api/v1/connections", { key })).body.connections).toEqual([])
  expect((await hub.request(`/api/v1/connections/${found?.id}`, { key, method: "DELETE" })).status).toBe(404)
  const said = await hub.json("/api/v1/connections/broadcast", { key, method: "POST", body: '{"data":1}' })
  expect(said.body.reached).toBe(0)
  const { nodes } = (await hub.json("/api/v1/connections/stats", { key })).body
  expect(nodes).toEqual([expect.objectContaining({ open: 0, byTransport: {}, unsentBytes: 0 })])
  expect(nodes[0]).not.toHaveProperty("opened")
  expect((await hub.json("/api/v1/connections/stats")).body.nodes[0]).toMatchObject({ open: 1 })
  await mine.cut()
})
