import { once } from "node:events"
import { expect, test } from "vitest"
import { WebSocket } from "ws"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { streamServer } from "./support/server.ts"

const database = await testDatabase()
const server = await streamServer(database)

const many = (count: number) => Array.from({ length: count }, (_, n) => ({ payload: { n } }))
const from = (position: number, count: number) => Array.from({ length: count }, (_, n) => position + 1 + n)

/** The positions of a batch, as its events have them. */
function positionsIn(data: string): number[] {
  const events = JSON.parse(data) as { position: number }[]
  return events.map(({ position }) => position)
}

test("events come in batches of so many at most, each with the position of its last, from history and live", async () => {
  await logEvents(database.work, many(25))
  const client = await server.open("?after=0&batch=10")
  await client.until(() => Number(client.parser.lastEventId) === 25)
  expect(client.messages.map(({ type }) => type)).toEqual(["batch", "batch", "batch"])
  expect(client.messages.map(({ data }) => positionsIn(data))).toEqual([
    from(0, 10),
    from(10, 10),
    from(20, 5),
  ])
  expect(client.positions()).toEqual([10, 20, 25])

  await logEvents(database.work, many(1)) // at once, and not when a batch is full
  await client.until(() => Number(client.parser.lastEventId) === 26)
  expect(client.messages.at(-1)).toMatchObject({ type: "batch", lastEventId: "26" })

  const resumed = await server.open("?batch=7", { "last-event-id": "20" })
  await resumed.until(() => Number(resumed.parser.lastEventId) === 26)
  expect(resumed.messages.flatMap(({ data }) => positionsIn(data))).toEqual(from(20, 6))
  client.cut()
  resumed.cut()
})

test("batches say what single events say, packed or not, over SSE and WebSocket", async () => {
  const single = await server.open("?after=0")
  await single.count(26)
  const events = single.messages.map(({ data }) => JSON.parse(data) as unknown)
  for (const coding of ["gzip", "br"]) {
    const stop = new AbortController()
    const response = await fetch(`${server.url}/api/v1/events/stream?after=0&batch=1000`, {
      headers: { "accept-encoding": coding },
      signal: stop.signal,
    })
    expect(response.headers.get("content-encoding")).toBe(coding)
    let text = ""
    for await (const bytes of response.body ?? []) {
      text += Buffer.from(bytes).toString()
      if (text.includes("\nid: 26\n\n")) break
    }
    stop.abort()
    const batches = [...text.matchAll(/event: batch\ndata: (.*)\n/g)]
    expect(batches.flatMap(([, data = ""]) => JSON.parse(data) as unknown[])).toEqual(events)
  }
  for (const perMessageDeflate of [true, false]) {
    const address = `${server.url.replace("http", "ws")}/api/v1/events/stream?after=0&batch=4`
    const websocket = new WebSocket(address, { perMessageDeflate })
    const told: unknown[] = []
    const sizes: number[] = []
    websocket.on("message", (data: Buffer) => {
      const message = JSON.parse(data.toString()) as {
        kind: string
        position: number
        events?: { position: number }[]
      }
      if (message.kind !== "batch") return
      told.push(...(message.events ?? []))
      sizes.push(message.events?.length ?? 0)
      expect(message.position).toBe(message.events?.at(-1)?.position)
    })
    await expect.poll(() => told, { timeout: 20_000 }).toEqual(events)
    expect(Math.max(...sizes)).toBe(4)
    websocket.terminate()
    await once(websocket, "close")
  }
  single.cut()
})

test("a gap is told by itself, between the batches", async () => {
  await database.work.query(
    `with gone as (delete from event_log where position between 11 and 12 returning event_id)
     delete from events where id in (select event_id from gone)`,
  )
  const fresh = await streamServer(database)
  const client = await fresh.open("?after=5&batch=100")
  await client.until(() => Number(client.parser.lastEventId) === 26)
  const [first, gap, last] = client.messages
  expect(client.messages).toHaveLength(3)
  expect(positionsIn(first?.data ?? "")).toEqual(from(5, 5))
  expect([gap?.type, JSON.parse(gap?.data ?? "")]).toEqual(["gap", { from: 11, to: 12 }])
  expect(positionsIn(last?.data ?? "")).toEqual(from(12, 14))
  client.cut()
  await fresh.stop()
})

test("a batch has no more bytes than a part, so that large events come in several", async () => {
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  const before = rows[0]?.position ?? 0
  await logEvents(
    database.work,
    Array.from({ length: 4 }, () => ({ payload: { text: "x".repeat(100_000) } })),
  )
  const client = await server.open(`?after=${before}&batch=1000`)
  await client.until(() => Number(client.parser.lastEventId) === before + 4)
  expect(client.messages.map(({ data }) => positionsIn(data))).toEqual([from(before, 2), from(before + 2, 2)])
  client.cut()
})

test.each(["0", "1001", "ten", ""])("batch=%s is refused", async (batch) => {
  expect((await server.open(`?batch=${batch}`)).response.statusCode).toBe(400)
})

test("what the process does is counted: transports, bytes, events, lag, endings, refusals, reads", async () => {
  const own = await streamServer(database, { maxClientsByKey: 2, ringBytes: 1 })
  const first = await own.open("?after=0&batch=10", { "x-key-id": "a" })
  await first.until(() => Number(first.parser.lastEventId) >= 30)
  const second = await own.open("?after=0", { "x-key-id": "a" })
  await second.until(() => Number(second.parser.lastEventId) >= 30)
  expect((await own.open("", { "x-key-id": "a" })).response.statusCode).toBe(429)
  await expect.poll(() => own.streaming.connections.stats().catchingUp, { timeout: 20_000 }).toBe(0)
  const stats = own.streaming.connections.stats()
  expect(stats).toMatchObject({
    open: 2,
    byTransport: { sse: 2 },
    unsentBytes: 0,
    lag: { p50: 0, p95: 0, max: 0 },
    opened: 2,
    dropped: 0,
    droppedBy: {},
    endedBy: {},
    refusedBy: { key: 1 },
    feed: { state: "following" },
  })
  expect(stats.bytes).toBeGreaterThan(400_000 * 2)
  expect(stats.catchUpReads).toBeGreaterThanOrEqual(1)
  const [info] = own.streaming.connections.list(null)
  own.streaming.connections.close(null, info?.id ?? "")
  await first.closed
  second.cut()
  await expect.poll(() => own.streaming.connections.stats().open, { timeout: 20_000 }).toBe(0)
  expect(own.streaming.connections.stats()).toMatchObject({
    open: 0,
    opened: 2,
    bytes: expect.any(Number) as number,
    endedBy: { closed: 1 },
  })
  expect(own.streaming.connections.stats().bytes).toBeGreaterThanOrEqual(stats.bytes)
  await own.stop()
})
