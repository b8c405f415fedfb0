import { createServer, type ServerResponse } from "node:http"
import { once } from "node:events"
import { expect, it, onTestFinished } from "vitest"
import { createClient, type Gap, type Retry, type StreamOptions } from "../../src/client/index.ts"
import { streamServer } from "../streaming/support/server.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { positionsOf, range, take } from "./support/take.ts"

const database = await testDatabase()
const server = await streamServer(database, { maxUnsent: 256 << 10, stallMs: 500 })
const client = createClient({ url: server.url, key: "any" })
const transports: NonNullable<StreamOptions["transport"]>[] = ["sse", "websocket"]

async function head(): Promise<number> {
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  return rows[0]?.position ?? 0
}

/** Drops events as retention does. */
async function retire(positions: readonly number[]): Promise<void> {
  const { rows } = await database.work.query<{ id: string }>(
    "delete from event_log where position = any($1) returning event_id as id",
    [positions],
  )
  await database.work.query("delete from events where id = any($1::uuid[])", [rows.map(({ id }) => id)])
}

/** A server that answers as it is told, and counts the requests. */
async function answering(answer: (response: ServerResponse, request: number) => void) {
  const times: number[] = []
  const http = createServer((_, response) => {
    times.push(performance.now())
    answer(response, times.length)
  }).listen(0, "127.0.0.1")
  await once(http, "listening")
  onTestFinished(() => {
    http.closeAllConnections()
    http.close()
  })
  const address = http.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  return { times, client: createClient({ url: `http://127.0.0.1:${port}/base/`, key: "any" }) }
}

it.each(transports)(
  "where retention has passed the cursor, it is told and goes on (%s)",
  async (transport) => {
    const start = await head()
    await logEvents(
      database.work,
      range(0, 8).map((n) => ({ payload: { n } })),
    )
    await retire([start + 1, start + 2, start + 5])
    const gaps: Gap[] = []
    const onGap = (gap: Gap) => gaps.push(gap)
    await using stream = client.stream("all_events", { after: start, transport, onGap })
    expect(positionsOf(await take(stream, 5))).toEqual([3, 4, 6, 7, 8].map((n) => start + n))
    expect(gaps).toEqual([
      { from: start + 1, to: start + 2 },
      { from: start + 5, to: start + 5 },
    ])
    gaps.length = 0
    await using within = client.stream("all_events", { after: start + 1, transport, onGap })
    await take(within, 1)
    expect(gaps).toEqual([{ from: start + 2, to: start + 2 }])
  },
)

it.each(transports)("a gap that nobody wants to be told of ends the stream (%s)", async (transport) => {
  const start = await head()
  await logEvents(
    database.work,
    range(0, 4).map((n) => ({ payload: { n } })),
  )
  await retire([start + 2])
  const stream = client.stream("all_events", { after: start, transport })
  await take(stream, 1)
  await expect(stream.next()).rejects.toMatchObject({
    name: "SignalboxClientError",
    code: "gone",
    status: 410,
    message: expect.stringMatching(`positions ${start + 2} to ${start + 2} are past retention.*begin after`),
  })
  expect(stream.position).toBe(start + 1)
  expect(await stream.next()).toEqual({ done: true, value: undefined })
})

it.each(transports)(
  "a log that was set back ends the stream instead of going on elsewhere, also where it has grown again (%s)",
  async (transport) => {
    const own = await streamServer(database)
    onTestFinished(own.stop)
    const start = await head()
    await logEvents(
      database.work,
      range(0, 3).map((n) => ({ payload: { n } })),
    )
    const stream = createClient({ url: own.url, key: "any" }).stream("all_events", {
      after: start,
      transport,
    })
    await take(stream, 3)
    const refused = stream.next().catch((error: unknown) => error)
    await database.work.query("delete from event_log where position > $1", [start + 1])
    await database.work.query("update event_log_head set position = $1", [start + 1])
    const ended = () => own.streaming.connections.stats().endedBy["log_set_back"]
    await expect.poll(ended, { timeout: 20_000 }).toBe(1)
    await logEvents(
      database.work,
      range(0, 5).map((n) => ({ payload: { n } })),
    )
    expect(await refused).toMatchObject({
      code: "conflict",
      status: 409,
      message: expect.stringContaining("the log was set back"),
    })
  },
)

it.each(transports)(
  "a consumer that is slow loses nothing, and what waits for it is bounded (%s)",
  async (transport) => {
    const start = await head()
    const big = "x".repeat(200_000)
    const retries: Retry[] = []
    // Compressed, all of it would fit into the buffers between the two.
    const identity = createClient({
      url: server.url,
      key: "any",
      fetch: (url, init) => {
        const headers = new Headers(init.headers)
        headers.set("accept-encoding", "identity")
        return fetch(url, { ...init, headers })
      },
    })
    await using stream = identity.stream("all_events", {
      after: start,
      transport,
      onRetry: (retry) => retries.push(retry),
    })
    await logEvents(database.work, [{ payload: { n: 1 } }])
    await take(stream, 1)
    for (let n = 2; n <= 100; n++) await logEvents(database.work, [{ payload: { n, big } }])
    // The hub cuts whom it can send nothing; a WebSocket that nobody reads fills up and closes itself.
    await expect.poll(() => server.streaming.connections.stats().open, { timeout: 20_000 }).toBe(0)
    expect(positionsOf(await take(stream, 99))).toEqual(range(start + 1, 99))
    expect(retries.map(({ error }) => error.code)).toContain(transport === "sse" ? "unreachable" : "outpaced")
  },
)

it("a filter and its lists come to the hub as one", async () => {
  const start = await head()
  await logEvents(database.work, [
    { type: "a.b.c", payload: { n: 1, quotes: '"&=' } },
    { type: "a.b.c", payload: { n: 2 }, source: "other" },
    { type: "a.b.d", payload: { n: 3 } },
    { type: "x.y.z", payload: { n: 4 } },
  ])
  const wanted = {
    after: start,
    types: "a.*.*",
    sources: ["test"],
    filter: { where: { "payload.n": { $gt: 0 } } },
  }
  await using stream = client.stream("all_events", wanted)
  const items = await take(stream, 2)
  expect(items.map(({ event }) => event.payload)).toMatchObject([{ n: 1 }, { n: 3 }])
  expect(() => client.stream("all_events", { types: "a.b", filter: { types: ["c.d"] } })).toThrow(
    "types is given both in filter and by itself",
  )
})

it.each(transports)("integers that JavaScript cannot hold are whole in `json` (%s)", async (transport) => {
  const start = await head()
  await logEvents(database.work, [{ payload: '{"id":9007199254740993,"text":"ü😀"}' }])
  await using stream = client.stream("all_events", { after: start, transport })
  const [item] = await take(stream, 1)
  expect(item?.json).toContain('"payload":{"id":9007199254740993,"text":"ü😀"}}')
  expect(JSON.parse(item?.json ?? "")).toEqual(item?.event)
})

it.each(transports)("ends without an error when its signal is aborted (%s)", async (transport) => {
  const controller = new AbortController()
  const { signal } = controller
  const opened = Promise.withResolvers<void>()
  const stream = client.stream("all_events", { transport, signal, onOpen: () => opened.resolve() })
  const next = stream.next()
  await opened.promise
  controller.abort()
  expect(await next).toEqual({ done: true, value: undefined })
  expect(await client.stream("all_events", { transport, signal }).next()).toMatchObject({ done: true })
  await expect.poll(() => server.streaming.connections.stats().open).toBe(0)
})

it.each(transports)("gives its connection back when it is left (%s)", async (transport) => {
  const start = await head()
  await logEvents(database.work, [{}, {}])
  for await (const { position } of client.stream("all_events", { after: start, transport })) {
    expect(position).toBe(start + 1)
    break
  }
  await expect.poll(() => server.streaming.connections.stats().open).toBe(0)
})

it.each(transports)(
  "what the hub refuses for good is thrown, and not tried again (%s)",
  async (transport) => {
    const retries: Retry[] = []
    const onRetry = (retry: Retry) => retries.push(retry)
    await expect(client.stream("no_such_stream", { transport, onRetry }).next()).rejects.toMatchObject({
      code: "not_found",
      status: 404,
      message: 'there is no stream "no_such_stream"',
    })
    const wrong = client.stream("all_events", { transport, onRetry, filter: { where: { a: { $no: 1 } } } })
    await expect(wrong.next()).rejects.toMatchObject({ code: "bad_request", status: 400 })
    await expect(client.stream("all_events", { transport, after: 1e9 }).next()).rejects.toMatchObject({
      code: "conflict",
    })
    expect(retries).toEqual([])
  },
)

it("waits as long as Retry-After asks, and longer with each failure in a row", async () => {
  const { times, client: patient } = await answering((response, request) => {
    if (request === 1) response.writeHead(429, { "retry-after": "1" }).end()
    else if (request <= 4) response.writeHead(503).end()
    else response.writeHead(404).end()
  })
  const retries: Retry[] = []
  const stream = patient.stream("all_events", { onRetry: (retry) => retries.push(retry) })
  await expect(stream.next()).rejects.toMatchObject({ status: 404 })
  expect(times).toHaveLength(5)
  expect(retries.map(({ attempt, error }) => [attempt, error.status, error.code])).toEqual([
    [1, 429, "too_many_requests"],
    [2, 503, "unavailable"],
    [3, 503, "unavailable"],
    [4, 503, "unavailable"],
  ])
  for (const [index, { delayMs }] of retries.entries()) {
    const asked = index === 0 ? 1_000 : 0
    expect(delayMs).toBeGreaterThanOrEqual(asked)
    expect(delayMs).toBeLessThanOrEqual(asked + Math.max(asked / 2, 250 * 2 ** index))
    expect((times[index + 1] ?? 0) - (times[index] ?? 0)).toBeGreaterThanOrEqual(delayMs - 20)
  }
})

it.each([
  [{ "content-type": "text/html" }, "<p>Welcome to the hotel", "no event stream but text/html"],
  [{ "content-type": "text/event-stream" }, "id: abc\ndata: {}\n\n", "has the id"],
  [{ "content-type": "text/event-stream" }, "id: 7\nevent: x\ndata: {\n\n", "at position 7 is no event"],
])("what is no hub is not taken for one: %j %j", async (headers, body, words) => {
  const { times, client: lost } = await answering((response) => response.writeHead(200, headers).end(body))
  await expect(lost.stream("all_events").next()).rejects.toMatchObject({
    code: "not_signalbox",
    message: expect.stringContaining(words),
  })
  expect(times).toHaveLength(1)
})
