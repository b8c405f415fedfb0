import { once } from "node:events"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, test } from "vitest"
import { WebSocket } from "ws"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { connect } from "./support/client.ts"
import { SseParser } from "./support/sse-parser.ts"
import { streamServer } from "./support/server.ts"

const database = await testDatabase()

/** How a connection went. */
interface Course {
  positions: number[]
  end: { reason: string; retryMs: number } | undefined
  /** Whether it ended as its protocol wants it, and was not cut. */
  clean: boolean
}

/** Follows a stream from a position until it ends. */
type Follow = (base: string, after: number) => { open: Promise<unknown>; over: Promise<Course> }

const viaFetch =
  (coding: string): Follow =>
  (base, after) => {
    const response = fetch(`${base}/api/v1/events/stream?after=${after}`, {
      headers: { "accept-encoding": coding },
    })
    return { open: response, over: response.then(read) }
  }

async function read(response: Response): Promise<Course> {
  const parser = new SseParser()
  let clean = true
  try {
    for await (const bytes of response.body ?? []) parser.push(bytes)
  } catch {
    clean = false
  }
  const events = parser.messages.filter(({ type }) => type !== "end")
  const end = parser.messages.find(({ type }) => type === "end")
  const { reason }: { reason: string } = end === undefined ? { reason: "" } : JSON.parse(end.data)
  return {
    positions: events.map(({ lastEventId }) => Number(lastEventId)),
    end: end && { reason, retryMs: parser.retry ?? 0 },
    clean,
  }
}

const viaWebsocket: Follow = (base, after) => {
  const websocket = new WebSocket(`${base.replace("http", "ws")}/api/v1/events/stream?after=${after}`)
  const positions: number[] = []
  let end: Course["end"]
  websocket.on("message", (data: Buffer) => {
    const message: { kind: string; position: number; reason: string; retryMs: number } = JSON.parse(
      data.toString(),
    )
    if (message.kind === "event") positions.push(message.position)
    if (message.kind === "end") end = message
  })
  const closed = once(websocket, "close") as Promise<[number]>
  return {
    open: once(websocket, "open"),
    over: closed.then(([code]) => ({ positions, end, clean: code === 1012 })),
  }
}

test("200 clients are ended with a word, each at a time of its own, and go on elsewhere without a gap", async () => {
  const [first, second] = [await streamServer(database), await streamServer(database)]
  const kinds = [viaFetch("identity"), viaFetch("gzip"), viaFetch("br"), viaWebsocket, viaWebsocket]
  const follows = Array.from({ length: 200 }, (_, n) => kinds[n % kinds.length] ?? viaWebsocket)
  const before = follows.map((follow) => follow(first.url, 0))
  await Promise.all(before.map(({ open }) => open))

  const ending = new AbortController()
  let logged = 0
  const flow = (async () => {
    while (!ending.signal.aborted) {
      await logEvents(database.work, [{ payload: { text: "x".repeat(1_000) } }, {}])
      logged += 2
      await sleep(10)
    }
  })()
  await expect.poll(() => logged, { timeout: 20_000 }).toBeGreaterThan(20)
  await first.stop()
  const courses = await Promise.all(before.map(({ over }) => over))
  ending.abort()
  await flow

  expect(courses.filter(({ clean }) => !clean)).toEqual([])
  expect(new Set(courses.map(({ end }) => end?.reason))).toEqual(new Set(["shutdown"]))
  const waits = courses.map(({ end }) => end?.retryMs ?? 0)
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(1_000)
  expect(Math.max(...waits)).toBeLessThanOrEqual(5_000)
  expect(new Set(waits).size).toBeGreaterThan(100) // 200 drawn out of 4,000

  const after = follows.map((follow, n) => follow(second.url, courses[n]?.positions.at(-1) ?? 0))
  await Promise.all(after.map(({ open }) => open))
  await expect
    .poll(() => second.streaming.connections.stats(), { timeout: 20_000 })
    .toMatchObject({ catchingUp: 0, lag: { max: 0 } })
  await second.stop()
  const all = Array.from({ length: logged }, (_, n) => n + 1)
  for (const [n, { over }] of after.entries()) {
    const { positions, clean } = await over
    expect(clean).toBe(true)
    expect([...(courses[n]?.positions ?? []), ...positions]).toEqual(all)
  }
}, 120_000)

test("whoever is in the midst of a large event has the rest of it before the end", async () => {
  const server = await streamServer(database)
  const [large] = await logEvents(database.work, [{ payload: { text: "x".repeat(6 << 20) } }])
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  const position = rows[0]?.position ?? 0
  const client = await connect(`${server.url}/api/v1/events/stream?after=${position - 1}`)
  client.pause()
  await expect
    .poll(() => server.streaming.connections.stats().unsentBytes, { timeout: 20_000 })
    .toBeGreaterThan(0)
  const stopping = server.stop()
  await sleep(200)
  client.resume()
  await client.closed
  expect(client.messages.map(({ type }) => type)).toEqual([large?.type, "end"])
  expect(client.response.complete).toBe(true)
  await stopping
})

test("a stream that is asked for while the server drains begins and ends, so that no browser gives up", async () => {
  const server = await streamServer(database)
  await server.streaming.connections.stop()
  for (const follow of [viaFetch("identity"), viaFetch("gzip"), viaFetch("br"), viaWebsocket]) {
    const { over } = follow(server.url, 0)
    expect(await over).toMatchObject({ positions: [], end: { reason: "shutdown" }, clean: true })
  }
  await server.stop()
})
