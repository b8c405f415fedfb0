import { setTimeout as sleep } from "node:timers/promises"
import { expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { streamServer } from "./support/server.ts"
import { transports } from "./support/stalling-client.ts"

const database = await testDatabase()
const stallMs = 2_000
const server = await streamServer(database, { stallMs, maxUnsent: 64 << 20 })

// More than the kernel takes for a client, and in one write to one that is up to date.
const eventBytes = 20 << 20

async function head(): Promise<number> {
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  return rows[0]?.position ?? 0
}

test.each([
  ["SSE", 40, transports.SSE],
  ["WebSocket", 300, transports.WebSocket], // which reads more at a time
])(
  "over %s a client that reads slowly but steadily is not cut in the midst of a large write",
  async (_, restMs, open) => {
    const start = await head()
    const client = await open(server.url, start)
    await logEvents(database.work, [{}])
    await expect.poll(() => client.positions.at(-1), { timeout: 20_000 }).toBe(start + 1)
    const began = performance.now()
    await logEvents(database.work, [{ payload: { pad: "x".repeat(eventBytes) } }])
    const gone = new AbortController()
    void client.closed.then(() => gone.abort())
    while (!gone.signal.aborted && client.positions.at(-1) !== start + 2) {
      client.pause()
      await sleep(restMs)
      client.resume()
      await sleep(1)
    }
    expect(client.positions).toEqual([start + 1, start + 2])
    expect(performance.now() - began).toBeGreaterThan(stallMs) // or it was not slow
    expect(server.streaming.connections.stats().dropped).toBe(0)
    client.cut()
  },
  120_000,
)
