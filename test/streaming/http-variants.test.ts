import { once } from "node:events"
import { connect, type Socket } from "node:net"
import { expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { SseParser } from "./support/sse-parser.ts"
import { streamServer } from "./support/server.ts"

const database = await testDatabase()
const server = await streamServer(database, { stallMs: 500 })

/** Sends requests as they stand, and collects what comes back. */
async function send(text: string): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect(Number(new URL(server.url).port), "127.0.0.1")
  let received = ""
  socket.on("data", (bytes) => (received += bytes.toString()))
  socket.on("error", () => {})
  await once(socket, "connect")
  socket.write(text)
  return { socket, received: () => received }
}

test("a client that speaks HTTP/1.0 gets the stream without chunks", async () => {
  const { socket, received } = await send("GET /api/v1/events/stream HTTP/1.0\r\nHost: x\r\n\r\n")
  await expect.poll(received).toContain("retry: 500")
  await logEvents(database.work, [{ title: "one" }])
  await logEvents(database.work, [{ title: "two" }])
  await expect.poll(received).toContain('"title":"two"')
  socket.destroy()
  const [head, body = ""] = received().split(/\r\n\r\n(.*)/s)
  expect(head).not.toMatch(/transfer-encoding/i)
  const parser = new SseParser()
  parser.push(Buffer.from(body))
  expect(body).not.toContain("\r\n")
  expect(parser.messages).toHaveLength(2)
})

test("a stream asked for behind another on one connection does not stay and wait for ever", async () => {
  const request = "GET /api/v1/events/stream HTTP/1.1\r\nHost: x\r\n\r\n"
  const { socket } = await send(request + request + request)
  await expect.poll(() => server.streaming.connections.stats().open).toBe(3)
  const closed = once(socket, "close")
  await logEvents(
    database.work,
    Array.from({ length: 10 }, () => ({ payload: { pad: "x".repeat(200_000) } })),
  )
  await closed
  await expect.poll(() => server.streaming.connections.stats()).toMatchObject({ open: 0, unsentBytes: 0 })
})

test("a client that hangs up while its request is looked at leaves nothing behind", async () => {
  for (let n = 0; n < 20; n++) {
    const { socket } = await send("GET /api/v1/events/stream HTTP/1.1\r\nHost: x\r\n\r\n")
    socket.destroy()
  }
  await expect.poll(() => server.streaming.connections.stats().open).toBe(0)
  await logEvents(database.work, [{}])
  const client = await server.open("?after=earliest")
  await client.count(1)
  client.cut()
})
