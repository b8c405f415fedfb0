import { once } from "node:events"
import { createServer, type ServerResponse } from "node:http"
import { expect, onTestFinished, test } from "vitest"
import { readLogPage } from "../../src/store/log-pages.ts"
import { createBudget } from "../../src/streaming/budget.ts"
import { beat, createClient, mayInterject, writePaced } from "../../src/streaming/client.ts"
import { toEntry } from "../../src/streaming/entry.ts"
import { sseEncoding } from "../../src/streaming/sse-encoding.ts"
import { createSseWire } from "../../src/streaming/sse-wire.ts"
import { createView } from "../../src/streaming/view.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { connect } from "./support/client.ts"

const database = await testDatabase()

/** A response under way on a real socket, and who receives it. */
async function openResponse() {
  const { promise, resolve } = Promise.withResolvers<ServerResponse>()
  const server = createServer((_, outgoing) => {
    outgoing.writeHead(200, { "content-type": "text/event-stream" })
    resolve(outgoing)
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const connecting = connect(`http://127.0.0.1:${port}/`)
  const wire = createSseWire(await promise, sseEncoding)
  return { wire, receiver: await connecting }
}

test("a heartbeat in the midst of a catch-up never takes a client back to what it has had", async () => {
  const big = { payload: { pad: "x".repeat(200_000) } }
  await logEvents(database.work, [big, big])
  const { items } = await readLogPage(database.work, 0, 10 << 20)
  const { wire, receiver } = await openResponse()
  const client = createClient(wire, createView("default", []), {
    start: 0,
    floor: 0,
    heartbeatMs: 1_000,
    keyId: "slow",
    address: "127.0.0.1",
    held: { tenant: "default", topics: ["all_events"], version: "" },
    clientName: null,
    allowance: null,
  })
  const budget = createBudget(250_000)
  const writing = writePaced(client, items.map(toEntry), budget)
  const release = await budget.acquire("another", 250_000) // has its turn between the two parts
  await receiver.count(1)
  await expect.poll(() => mayInterject(client)).toBe(true)
  expect(client.passed).toBe(0) // told of the whole stretch only when it is written
  beat(client, client.passed, performance.now())
  await expect.poll(() => receiver.parser.comments.length).toBeGreaterThan(0)
  expect([receiver.parser.lastEventId, client.told]).toEqual(["1", 1])
  release()
  await writing
  await receiver.count(2)
  expect(receiver.positions()).toEqual([1, 2])
  receiver.cut()
})
