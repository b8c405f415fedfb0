import { once } from "node:events"
import { request } from "node:http"
import type { Socket } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, it } from "vitest"
import { WebSocket, type ClientOptions } from "ws"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { streamServer, type StreamServer } from "./support/server.ts"

const database = await testDatabase()
const server = await streamServer(database)

interface Message {
  kind: "open" | "event" | "gap" | "position" | "end"
  position: number
  event?: { id: string; payload: unknown }
  retryMs?: number
}

/** A WebSocket client of `all_events`, and what it was told. */
async function open(query = "", options: ClientOptions = {}, at: StreamServer = server) {
  const address = `${at.url.replace("http", "ws")}/api/v1/streams/all_events/ws${query}`
  const websocket = new WebSocket(address, options)
  const messages: Message[] = []
  websocket.on("message", (data: Buffer) => messages.push(JSON.parse(data.toString()) as Message))
  await once(websocket, "open")
  return { websocket, messages, events: () => messages.filter(({ kind }) => kind === "event") }
}

function numberIn(event: Message["event"]): number | undefined {
  const payload = event?.payload
  return typeof payload === "object" && payload !== null && "n" in payload ? Number(payload.n) : undefined
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    if (waited > 20_000) throw new Error("nothing in 20 s")
    await sleep(10)
  }
}

it("tells events as SSE does, with a position to resume from", async () => {
  const sse = await server.open()
  const { websocket, messages, events } = await open()
  await until(() => messages.length > 0)
  expect(messages[0]).toEqual({ kind: "open", position: expect.any(Number) as number })
  await logEvents(database.work, [{ payload: { n: 1 } }, { payload: { text: "ü".repeat(100_000) } }])
  await sse.count(2)
  await until(() => events().length === 2)
  expect(events().map(({ position }) => position)).toEqual(sse.positions())
  expect(events().map(({ event }) => event)).toEqual(
    sse.messages.map(({ data }) => JSON.parse(data) as unknown),
  )
  websocket.terminate()
  sse.cut()
})

it.each([true, false])(
  "resumes from where it was without gap or repeat (permessage-deflate: %s)",
  async (perMessageDeflate) => {
    const first = await open("?after=latest", { perMessageDeflate })
    expect(first.websocket.extensions.includes("permessage-deflate")).toBe(perMessageDeflate)
    const text = "again ".repeat(1_000)
    await logEvents(database.work, [{ payload: { n: 1, text } }])
    await until(() => first.events().length === 1)
    first.websocket.terminate()
    const last = first.messages.at(-1)?.position
    await logEvents(database.work, [{ payload: { n: 2, text } }, { payload: { n: 3 } }])
    const second = await open(`?after=${last}`, { perMessageDeflate })
    await logEvents(database.work, [{ payload: { n: 4, text } }])
    await until(() => second.events().length === 3)
    expect(second.events().map(({ event }) => numberIn(event))).toEqual([2, 3, 4])
    second.websocket.terminate()
  },
)

it("beats with the position that its filter has come to", async () => {
  const { websocket, messages } = await open("?heartbeat=1&types=nothing.at.all")
  await logEvents(database.work, [{}])
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  await until(() => messages.at(-1)?.kind === "position")
  expect(messages.at(-1)?.position).toBe(rows[0]?.position)
  const before = messages.length
  await until(() => messages.length > before) // and goes on, for whoever waits for a sign of life
  expect(messages.at(-1)).toEqual({ kind: "position", position: rows[0]?.position })
  websocket.terminate()
})

it("answers pings, and closes when asked", async () => {
  const { websocket } = await open()
  const pong = once(websocket, "pong") as Promise<[Buffer]>
  websocket.ping("are you there")
  expect((await pong)[0].toString()).toBe("are you there")
  websocket.close(1000)
  const [code] = (await once(websocket, "close")) as [number]
  expect(code).toBe(1000)
  await until(() => server.streaming.connections.stats().open === 0)
})

it("a client that pings and reads no answer fills no memory", async () => {
  const own = await streamServer(database)
  const sent = request(`${own.url}/api/v1/streams/all_events/ws`, {
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": Buffer.alloc(16).toString("base64"),
    },
  }).end()
  const [, socket] = (await once(sent, "upgrade")) as [unknown, Socket]
  socket.pause()
  const ping = Buffer.concat([Buffer.from([0x89, 0x80 | 125, 0, 0, 0, 0]), Buffer.alloc(125, "x")])
  const pings = Buffer.concat(Array.from({ length: 1_000 }, () => ping))
  for (let n = 0; n < 240; n++) if (!socket.write(pings)) await once(socket, "drain") // 31 MB
  expect(own.streaming.connections.stats()).toMatchObject({ open: 1 })
  expect(own.streaming.connections.stats().unsentBytes).toBeLessThan(1 << 20)
  socket.destroy()
  await own.stop()
})

it("says goodbye with a time to come back when the hub stops", async () => {
  const own = await streamServer(database)
  const { websocket, messages } = await open("", {}, own)
  const closed = once(websocket, "close") as Promise<[number]>
  await own.stop()
  expect((await closed)[0]).toBe(1012)
  expect(messages.at(-1)).toMatchObject({
    kind: "end",
    reason: "shutdown",
    retryMs: expect.any(Number) as number,
  })
})

it("a client that takes nothing is cut, and finds the rest when it is back", async () => {
  const own = await streamServer(database, { maxUnsent: 256 << 10, stallMs: 500 })
  const uncompressed = { perMessageDeflate: false }
  const { websocket, events } = await open("?after=latest", uncompressed, own)
  websocket.pause()
  const closed = once(websocket, "close")
  const big = "x".repeat(200_000)
  for (let n = 0; n < 60; n++) await logEvents(database.work, [{ payload: { n, big } }])
  await until(() => own.streaming.connections.stats().open === 0)
  websocket.resume()
  await closed
  const seen = events().map(({ event }) => numberIn(event))
  expect(seen.length).toBeLessThan(60)
  const last = events().at(-1)?.position
  const again = await open(last === undefined ? "?after=earliest" : `?after=${last}`, uncompressed, own)
  const all = () => [...seen, ...again.events().map(({ event }) => numberIn(event))]
  await until(() => all().includes(59))
  expect(all().filter((n) => n !== undefined)).toEqual(Array.from({ length: 60 }, (_, n) => n))
  again.websocket.terminate()
  await own.stop()
})

it.each([
  ["", 426, "ask for an upgrade"],
  ["?after=nowhere", 400, "after must be a position"],
])("a plain request of %s gets %i", async (query, status, words) => {
  const answer = await fetch(`${server.url}/api/v1/streams/all_events/ws${query}`)
  expect(answer.status).toBe(status)
  expect(((await answer.json()) as { detail: string }).detail).toContain(words)
})

it.each([
  ["/api/v1/streams/nosuch/ws", 404],
  ["/api/v1/streams/all_events/ws?filtr=x", 400],
  ["/api/v1/streams/all_events/ws?after=", 400],
  ["/nowhere", 404],
])("an upgrade of %s is refused with %i, in words", async (path, status) => {
  const websocket = new WebSocket(`${server.url.replace("http", "ws")}${path}`)
  const [, response] = (await once(websocket, "unexpected-response")) as [
    unknown,
    { statusCode: number; headers: Record<string, string> },
  ]
  expect(response.statusCode).toBe(status)
  expect(response.headers["content-type"]).toContain("json")
  websocket.on("error", () => {})
  websocket.terminate()
})

it("an offer of another protocol is answered like any request", async () => {
  const sent = request(`${server.url}/api/v1/streams/nosuch/sse`, {
    headers: {
      connection: "Upgrade, HTTP2-Settings",
      upgrade: "h2c",
      "http2-settings": "AAMAAABkAAQAoAAAAAIAAAAA",
    },
  })
  sent.end()
  const [response] = (await once(sent, "response")) as [{ statusCode: number; resume(): void }]
  expect(response.statusCode).toBe(404)
  response.resume()
})
