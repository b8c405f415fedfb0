import { setTimeout as sleep } from "node:timers/promises"
import { expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { streamServer } from "./support/server.ts"

const database = await testDatabase()
const maxUnsent = 512 << 10
const server = await streamServer(database, { maxUnsent, stallMs: 700 })
/** Clients live in this process and cannot read while it works on 9 MB for each: to this one that is no stall. */
const patient = await streamServer(database, { maxUnsent })
const crowded = await streamServer(database, { maxUnsent: 64 << 20, maxUnsentTotal: 4e6 })

const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + 1 + index)

async function head(): Promise<number> {
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  return rows[0]?.position ?? 0
}

const big = (n: number) => ({ payload: { n, pad: "x".repeat(100_000) } })

/** Logs `count` events of 100 KB, a few at a time: more than the kernel's buffers take for a client. */
async function logBig(count: number): Promise<void> {
  for (let at = 0; at < count; at += 4) {
    await logEvents(database.work, range(at, 4).map(big))
    await sleep(10)
  }
}

test("clients that stop reading are closed within their cap, hold nobody up, and resume without loss", async () => {
  const start = await head()
  const healthy = await server.open()
  const slow = await Promise.all(range(0, 5).map(() => server.open()))
  for (const client of [healthy, ...slow]) await client.until(() => client.parser.lastEventId !== "")
  for (const client of slow) client.pause()
  let most = 0
  const sampling = setInterval(() => {
    most = Math.max(most, server.streaming.connections.stats().unsentBytes)
  }, 5)
  const total = 160
  await logBig(total)
  await healthy.count(total)
  expect(healthy.positions()).toEqual(range(start, total))
  await expect.poll(() => server.streaming.connections.stats().open, { timeout: 10_000 }).toBe(1)
  clearInterval(sampling)
  expect(server.streaming.connections.stats().dropped).toBe(5)
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(6 * (maxUnsent + (256 << 10)))
  for (const client of slow) {
    client.resume()
    await client.closed
    const again = await server.open("", { "last-event-id": client.parser.lastEventId })
    await again.until(() => Number(again.parser.lastEventId) === start + total)
    expect([...client.positions(), ...again.positions()]).toEqual(range(start, total))
    again.cut()
  }
  healthy.cut()
})

test("what waits for all clients together is bounded, and none of them loses anything by it", async () => {
  const start = await head()
  const healthy = await crowded.open()
  const slow = await Promise.all(range(0, 5).map(() => crowded.open()))
  for (const client of [healthy, ...slow]) await client.until(() => client.parser.lastEventId !== "")
  for (const client of slow) client.pause()
  let most = 0
  const sampling = setInterval(() => {
    most = Math.max(most, crowded.streaming.connections.stats().unsentBytes)
  }, 5)
  const total = 160
  for (let at = 0; at < total; at += 4) {
    await logEvents(database.work, range(at, 4).map(big))
    await sleep(100) // what comes until the next look is beyond the bound: 5 MB here
  }
  await healthy.count(total)
  clearInterval(sampling)
  expect(most).toBeGreaterThan(4e6)
  expect(most).toBeLessThan(20e6) // 50e6 without
  for (const client of slow) {
    client.resume()
    const all = () => Number(client.parser.lastEventId) === start + total
    await Promise.race([client.closed, client.until(all).catch(() => {})]) // it may have been cut meanwhile
    const rest = await crowded.open("", { "last-event-id": client.parser.lastEventId })
    await rest.until(() => Number(rest.parser.lastEventId) === start + total)
    expect([...client.positions(), ...rest.positions()]).toEqual(range(start, total))
    client.cut()
    rest.cut()
  }
  healthy.cut()
})

test("a client that stalls while it is sent history is closed, and resumes", async () => {
  const start = await head()
  await logBig(120)
  const before = server.streaming.connections.stats().dropped
  const client = await server.open("", { "last-event-id": String(start) })
  client.pause()
  await expect.poll(() => server.streaming.connections.stats().dropped, { timeout: 10_000 }).toBe(before + 1)
  client.resume()
  await client.closed
  const seen = client.positions()
  expect(seen.length).toBeLessThan(120)
  const again = await server.open("", { "last-event-id": client.parser.lastEventId })
  await again.count(120 - seen.length)
  expect([...seen, ...again.positions()]).toEqual(range(start, 120))
  again.cut()
})

test("an event larger than any cap reaches live clients and those that come later", async () => {
  const start = await head()
  const live = await Promise.all(range(0, 4).map(() => patient.open()))
  for (const client of live) await client.until(() => client.parser.lastEventId !== "")
  const text = "é\u2028".repeat(1_000_000)
  await logEvents(database.work, [{ title: "before" }, { payload: { text } }, { title: "after" }])
  await logEvents(database.work, [{ title: "last" }])
  const late = await patient.open("", { "last-event-id": String(start) })
  for (const client of [...live, late]) {
    await client.count(4)
    expect(client.positions()).toEqual(range(start, 4))
    const event: { payload: { text: string } } = JSON.parse(client.messages[1]?.data ?? "")
    expect(event.payload.text === text).toBe(true)
    client.cut()
  }
})
