import { setTimeout as sleep } from "node:timers/promises"
import { expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { logEvents, logEventsIn, type EventSpec } from "../support/events.ts"
import type { TestClient } from "./support/client.ts"
import { streamServer, type StreamServer } from "./support/server.ts"

const database = await testDatabase()
// A small ring, so that resuming goes through the store as well as through memory.
const server = await streamServer(database, { ringBytes: 256 << 10 })

/** Follows a stream over any number of cuts, resuming from the last event id as an EventSource does. */
async function followWithCuts(
  streams: StreamServer,
  query: string,
  from: number,
  cuts: number,
  done: (positions: readonly number[]) => boolean,
): Promise<{ positions: number[]; cutsMade: number }> {
  const positions: number[] = []
  let lastEventId = String(from)
  for (let cutsMade = 0; ; cutsMade++) {
    const client: TestClient = await streams.open(query, { "last-event-id": lastEventId })
    expect(client.response.statusCode).toBe(200)
    const over = () => done([...positions, ...client.positions()])
    if (cutsMade < cuts) await Promise.race([sleep(Math.random() * 100), client.until(over)])
    else await client.until(over)
    client.cut()
    await client.closed
    positions.push(...client.positions())
    lastEventId = client.parser.lastEventId || lastEventId
    if (done(positions)) return { positions, cutsMade }
  }
}

async function head(): Promise<number> {
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  return rows[0]?.position ?? 0
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + 1 + index)

test("a client cut 50 times while 5,000 events flow sees every position once and in order", async () => {
  const start = await head()
  const total = 5_000
  const producing = (async () => {
    let sent = 0
    while (sent < total) {
      const size = Math.min(total - sent, 1 + Math.floor(Math.random() * 40))
      await logEvents(
        database.work,
        range(0, size).map((n) => ({ payload: { n, pad: "x".repeat(n * 20) } })),
      )
      sent += size
      await sleep(Math.random() * 30)
    }
  })()
  const { positions, cutsMade } = await followWithCuts(server, "", start, 50, (all) => all.length >= total)
  await producing
  expect(cutsMade).toBe(50)
  expect(positions).toEqual(range(start, total))
})

test("with a filter, cuts lose and repeat nothing that it lets pass", async () => {
  const start = await head()
  const specs: EventSpec[] = range(0, 1_200).map((n) => ({
    type: n % 7 === 0 ? "test.wanted.thing" : "test.other.thing",
    payload: { n, wanted: n % 2 === 0 },
  }))
  const expected = range(start, 1_200).filter((position) => (position - start) % 14 === 0)
  const producing = (async () => {
    for (let at = 0; at < specs.length; at += 20) await logEvents(database.work, specs.slice(at, at + 20))
  })()
  const where = encodeURIComponent('{"types":["test.wanted.*"],"where":{"payload.wanted":true}}')
  const { positions } = await followWithCuts(
    server,
    `?filter=${where}`,
    start,
    15,
    (all) => all.length >= expected.length,
  )
  await producing
  expect(positions).toEqual(expected)
})

test("a transaction held open across others makes no reader skip", async () => {
  const start = await head()
  const live = await server.open("", { "last-event-id": String(start) })
  await live.until(() => live.parser.lastEventId !== "")
  const holder = await database.work.connect()
  await holder.query("begin")
  const [held] = await logEventsIn(holder, [{ title: "held" }])
  const others = range(0, 5).map((n) => logEvents(database.work, [{ title: `other ${n}` }]))
  await sleep(150)
  expect(live.messages).toEqual([]) // nobody overtakes the one who holds the head
  const during = await server.open("", { "last-event-id": String(start) })
  await holder.query("commit")
  holder.release()
  await Promise.all(others)
  for (const client of [live, during]) {
    await client.count(6)
    expect(client.positions()).toEqual(range(start, 6))
    expect(JSON.parse(client.messages[0]?.data ?? "")).toMatchObject({ id: held?.id })
    client.cut()
  }
})

async function writeAndSometimesRollBack(): Promise<void> {
  for (let n = 0; n < 20; n++) {
    const connection = await database.work.connect()
    await connection.query("begin")
    await logEventsIn(connection, [{}, {}])
    await connection.query(n % 4 === 3 ? "rollback" : "commit")
    connection.release()
  }
}

test("concurrent writers, some of which roll back, leave no hole and no repeat", async () => {
  const start = await head()
  const client = await server.open("", { "last-event-id": String(start) })
  await Promise.all(range(0, 4).map(writeAndSometimesRollBack))
  await client.count(120)
  expect(await head()).toBe(start + 120)
  expect(client.positions()).toEqual(range(start, 120))
  client.cut()
})
