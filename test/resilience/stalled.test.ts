import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, it } from "vitest"
import { range } from "../client/support/take.ts"
import { streamServer } from "../streaming/support/server.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import type { Fault } from "./faults.ts"
import { startFaultyProxy } from "./faulty-proxy.ts"
import { observeByClient } from "./observers/by-client.ts"
import { observeBySse } from "./observers/by-sse.ts"
import { observeByWebsocket } from "./observers/by-websocket.ts"
import type { Observed } from "./observers/observer.ts"

const patience = { timeout: 60_000 }
const maxUnsent = 512 << 10
const database = await testDatabase()
const server = await streamServer(database, { maxUnsent, stallMs: 1_000 })

const stall: Fault = { kind: "stalled", after: 200_000, ms: 5_000 }
const ways = [
  { name: "sse", observe: (to: Observed) => observeBySse(to, "identity") },
  { name: "sse, gzip", observe: (to: Observed) => observeBySse(to, "gzip") },
  { name: "sse, brotli", observe: (to: Observed) => observeBySse(to, "br") },
  { name: "websocket", observe: (to: Observed) => observeByWebsocket(to, false) },
  { name: "websocket, deflated", observe: (to: Observed) => observeByWebsocket(to, true) },
  { name: "client by sse", observe: (to: Observed) => observeByClient(to, "sse") },
  { name: "client by websocket", observe: (to: Observed) => observeByClient(to, "websocket") },
]

it("consumers behind a network that stalls raise memory by their cap at most, and lose nothing on return", async () => {
  await using stack = new AsyncDisposableStack()
  const members = []
  for (const { name, observe } of ways) {
    const proxy = stack.use(
      await startFaultyProxy({
        target: () => server.url,
        plan: (faults) => (faults.stalled > 0 ? undefined : stall),
      }),
    )
    members.push({ proxy, observer: stack.use(observe({ name, url: proxy.url, key: "any" })) })
  }
  await expect.poll(() => server.streaming.connections.stats().open, patience).toBe(ways.length)
  let most = 0
  const sampling = setInterval(() => {
    most = Math.max(most, server.streaming.connections.stats().unsentBytes)
  }, 5)
  const total = 160
  for (let at = 0; at < total; at += 4) {
    // Text that does not compress, more of it than the kernel's buffers take for a client.
    await logEvents(
      database.work,
      range(at, 4).map((n) => ({ payload: { n, pad: randomBytes(75_000).toString("base64") } })),
    )
    await sleep(10)
  }
  for (const { observer } of members) {
    const { name, log } = observer
    await expect.poll(() => log.positions.at(-1), { ...patience, message: name }).toBe(total)
    expect([name, log.positions]).toEqual([name, range(0, total)])
    expect([name, log.gaps, log.givenUp]).toEqual([name, [], []])
  }
  clearInterval(sampling)
  expect(members.map(({ proxy }) => proxy.faults.stalled)).not.toContain(0)
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(ways.length * (maxUnsent + (256 << 10)))
}, 120_000)
