import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { transports, type StallingClient } from "./support/stalling-client.ts"
import { streamServer } from "./support/server.ts"

setFlagsFromString("--expose-gc")
const collectGarbage: () => void = runInNewContext("gc")

const database = await testDatabase()
const maxUnsent = 256 << 10
const patient = await streamServer(database, { maxUnsent, stallMs: 600_000, ringBytes: 1 })
const strict = await streamServer(database, { maxUnsent, stallMs: 3_000, ringBytes: 1 })

const eventBytes = 250_000
const events = 80 // 20 MB: more than the kernel takes for a client
/** What a client that stalls may hold: its cap, a part on the way to it, and the page of history it is in. */
const mostPerClient = maxUnsent + 4 * eventBytes
/** What stays after any flow: the newest event, buffers of connections. */
const mostForAll = 2 << 20
const waiting = { timeout: 100_000, interval: 20 }

async function head(): Promise<number> {
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  return rows[0]?.position ?? 0
}

async function logNoise(): Promise<void> {
  for (let logged = 0; logged < events; logged += 4) {
    const noise = () => randomBytes((eventBytes * 3) / 4).toString("base64")
    const batch = Array.from({ length: 4 }, () => ({ payload: { noise: noise() } }))
    await logEvents(database.work, batch)
    await sleep(10)
  }
}

/** Bytes outside the heap, where everything is that waits for a client. */
async function heldBytes(): Promise<number> {
  await sleep(100)
  collectGarbage()
  await sleep(100) // what has no owner any more is given back in turns of its own
  collectGarbage()
  return process.memoryUsage().external
}

async function untilSeen(client: StallingClient, position: number): Promise<void> {
  await expect.poll(() => client.positions.at(-1), waiting).toBe(position)
}

const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + 1 + index)

test.each(Object.entries(transports))(
  "over %s clients that stall hold no more than their cap, and lose nothing when they read on",
  async (_, open) => {
    const start = await head()
    const healthy = await open(patient.url, start)
    const slow = [await open(patient.url, start), await open(patient.url, start)]
    await logEvents(database.work, [{}])
    for (const client of [healthy, ...slow]) await untilSeen(client, start + 1)
    for (const client of slow) client.pause()
    const before = await heldBytes()
    await logNoise()
    await untilSeen(healthy, start + 1 + events)
    expect((await heldBytes()) - before).toBeLessThan(slow.length * mostPerClient + mostForAll)
    for (const client of slow) {
      expect(client.positions.length).toBeLessThan(events)
      client.resume()
    }
    for (const client of [healthy, ...slow]) {
      await untilSeen(client, start + 1 + events)
      expect(client.positions).toEqual(range(start, 1 + events))
      client.cut()
    }
    expect(patient.streaming.connections.stats().dropped).toBe(0)
  },
  300_000,
)

test("over every transport a client that takes nothing is closed, and finds the rest when it is back", async () => {
  const start = await head()
  const all = range(start, 1 + events)
  const clients = await Promise.all(
    Object.values(transports).map(async (open) => ({ open, client: await open(strict.url, start) })),
  )
  await logEvents(database.work, [{}])
  for (const { client } of clients) await untilSeen(client, start + 1)
  for (const { client } of clients) client.pause()
  await logNoise()
  await expect
    .poll(() => strict.streaming.connections.stats(), waiting)
    .toMatchObject({ open: 0, dropped: clients.length, unsentBytes: 0 })
  for (const { open, client } of clients) {
    client.resume()
    await client.closed
    expect(client.positions.length).toBeLessThan(events)
    const again = await open(strict.url, client.positions.at(-1) ?? start)
    await untilSeen(again, start + 1 + events)
    expect([...client.positions, ...again.positions]).toEqual(all)
    again.cut()
  }
}, 300_000)
