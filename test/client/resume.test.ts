import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, it, onTestFinished } from "vitest"
import { createClient, type Retry, type StreamOptions } from "../../src/client/index.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { streamServer } from "../streaming/support/server.ts"
import { startProxy } from "./support/proxy.ts"
import { positionsOf, range, take } from "./support/take.ts"

const database = await testDatabase()
// A small ring, so that resuming goes through the store as well as through memory.
const server = await streamServer(database, { ringBytes: 256 << 10 })
const transports: NonNullable<StreamOptions["transport"]>[] = ["sse", "websocket"]

async function head(): Promise<number> {
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  return rows[0]?.position ?? 0
}

const pad = () => randomBytes(Math.floor(Math.random() * 3_000)).toString("base64")

/** Logs events with payloads that do not compress, in batches, until `total` are there. */
async function produce(total: number, pauseMs = 10): Promise<void> {
  for (let sent = 0; sent < total;) {
    const size = Math.min(total - sent, 1 + Math.floor(Math.random() * 20))
    await logEvents(
      database.work,
      range(0, size).map((n) => ({
        type: n % 2 === 0 ? "test.even" : "test.odd",
        payload: { n, pad: pad() },
      })),
    )
    sent += size
    await sleep(Math.random() * pauseMs)
  }
}

it.each(transports)(
  "over 100 cuts at random bytes, every event comes once and in order (%s)",
  async (transport) => {
    const start = await head()
    const total = 1_000
    const clients = range(0, 20).map(async () => {
      let cutsLeft = 5
      const bytesBeforeCut = () => (cutsLeft-- > 0 ? 1 + Math.floor(Math.random() ** 2 * 150_000) : undefined)
      const proxy = await startProxy(server.url, { bytesBeforeCut })
      const retries: Retry[] = []
      const client = createClient({ url: proxy.url, key: "any" })
      const stream = client.stream("all_events", {
        after: start,
        transport,
        onRetry: (retry) => retries.push(retry),
      })
      const items = await take(stream, total)
      await stream.return()
      expect(positionsOf(items)).toEqual(range(start, total))
      expect(items.every(({ position, event }) => event.position === position)).toBe(true)
      for (const { error } of retries) expect(error).toMatchObject({ code: "unreachable", retryable: true })
      return proxy.cuts
    })
    const producing = produce(total)
    const cuts = await Promise.all(clients)
    await producing
    expect(cuts.reduce((sum, count) => sum + count, 0)).toBe(100)
  },
  90_000,
)

it.each(transports)(
  "a server that restarts, or is away for a while, costs no event (%s)",
  async (transport) => {
    const start = await head()
    const first = await streamServer(database)
    const { port } = new URL(first.url)
    let target = first.url
    const proxy = await startProxy(first.url)
    const retries: Retry[] = []
    const opened: number[] = []
    const client = createClient({
      url: first.url,
      key: "any",
      // The same hub at another address, as a name that points elsewhere after a restart.
      fetch: (url, init) => fetch(url.replace(first.url, target), init),
      openWebSocket: (url, headers) =>
        new WebSocket(url.replace(`:${port}/`, `:${new URL(target).port}/`), { headers }),
    })
    const stream = client.stream("all_events", {
      after: start,
      transport,
      onRetry: (retry) => retries.push(retry),
      onOpen: ({ position }) => opened.push(position),
    })
    await produce(5)
    const before = await take(stream, 5)
    const next = take(stream, 10)
    await first.stop()
    await produce(5)
    target = proxy.url.replace(/\d+$/, "1") // nothing listens there
    await expect.poll(() => retries.length, { timeout: 20_000 }).toBeGreaterThan(1)
    const second = await streamServer(database)
    onTestFinished(second.stop)
    target = second.url
    await produce(5)
    expect(positionsOf([...before, ...(await next)])).toEqual(range(start, 15))
    expect(opened).toEqual([start, start + 5])
    expect(retries[0]).toMatchObject({ attempt: 1, position: start + 5 })
    expect(retries[0]?.delayMs).toBeGreaterThanOrEqual(1_000) // as the farewell asks
    expect(retries.at(-1)?.attempt).toBe(retries.length)
    await stream.return()
  },
  60_000,
)

it.each(transports)(
  "where a filter lets little pass, the cursor moves on all the same (%s)",
  async (transport) => {
    const start = await head()
    await produce(20)
    const passed: number[] = []
    const client = createClient({ url: server.url, key: "any" })
    const stream = client.stream("all_events", {
      after: start,
      types: "nothing.of.the.kind",
      heartbeat: 1,
      transport,
      onPosition: (position) => passed.push(position),
    })
    const waiting = stream.next()
    const end = await head()
    await expect.poll(() => stream.position, { timeout: 10_000 }).toBe(end)
    expect(passed).toEqual([end])
    await stream.return()
    expect(await waiting).toEqual({ done: true, value: undefined })
  },
)

it.each(transports)("the cursor that a stream leaves is where another goes on (%s)", async (transport) => {
  const start = await head()
  await produce(30)
  const client = createClient({ url: server.url, key: "any" })
  const seen: number[] = []
  let after = start
  while (seen.length < 30) {
    const stream = client.stream("all_events", { after, transport })
    for await (const { position } of stream) {
      seen.push(position)
      if (seen.length % 7 === 0 || seen.length === 30) break
    }
    after = stream.position ?? -1
    expect(after).toBe(seen.at(-1))
  }
  expect(seen).toEqual(range(start, 30))
})

it.each(transports)(
  "a connection from which nothing comes is given up and replaced (%s)",
  async (transport) => {
    const start = await head()
    const proxy = await startProxy(server.url)
    const retries: Retry[] = []
    const client = createClient({ url: proxy.url, key: "any" })
    const stream = client.stream("all_events", {
      after: start,
      heartbeat: 1,
      transport,
      onRetry: (retry) => retries.push(retry),
    })
    await produce(3)
    await take(stream, 3)
    const next = take(stream, 3)
    proxy.stall()
    await produce(3)
    expect(positionsOf(await next)).toEqual(range(start + 3, 3))
    expect(retries[0]?.error.message).toMatch(/no byte came|silent/)
    await stream.return()
  },
)

it("what is sent twice is handed over once", async () => {
  const start = await head()
  await produce(6)
  // Forgetful, as a cache between the two might be: each connection begins two events too early.
  const client = createClient({
    url: server.url,
    key: "any",
    fetch: (url, init) => {
      const headers = new Headers(init.headers)
      const last = Number(headers.get("last-event-id"))
      headers.set("last-event-id", String(Math.max(start, last - 2)))
      return fetch(url, { ...init, headers })
    },
  })
  const seen: number[] = []
  for (let after = start; seen.length < 6;) {
    const stream = client.stream("all_events", { after })
    const [item] = await take(stream, 1)
    await stream.return()
    after = item?.position ?? 0
    seen.push(after)
  }
  expect(seen).toEqual(range(start, 6))
})
