import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { afterAll, expect, test } from "vitest"
import { SignalboxError } from "../../src/core/errors.ts"
import { createByteBudget } from "../../src/ingest/byte-budget.ts"
import type { BodyLimits } from "../../src/ingest/read-body.ts"
import { receiveBody } from "../../src/ingest/receive-body.ts"
import { postHead, readAnswer, sendBytes } from "./support/raw-request.ts"

const budget = createByteBudget(1024 * 1024)
/** Limits by path, which differ in their patience. */
const others: Record<string, BodyLimits> = {
  "/patient": { maxBytes: 512 * 1024, timeoutMs: 60_000, graceMs: 60_000, budget },
  "/brisk": { maxBytes: 512 * 1024, timeoutMs: 60_000, graceMs: 200, budget },
  "/held": { maxBytes: 512 * 1024, timeoutMs: 60_000, graceMs: 2_000, budget },
}
const limits = { maxBytes: 512 * 1024, timeoutMs: 2_000, graceMs: 200, budget }

// What every request came to, in the order in which it was settled.
const outcomes: (number | "taken")[] = []
const server = createServer((request, response) => void settle(request, response))

async function settle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { body, release } = await receiveBody(request, others[request.url ?? ""] ?? limits)
    outcomes.push("taken")
    response.end(String(body.length))
    release()
  } catch (error) {
    const status = error instanceof SignalboxError ? error.status : 500
    outcomes.push(status)
    response.writeHead(status).end("no")
  }
}

server.listen(0, "127.0.0.1")
await once(server, "listening")
const { port } = server.address() as AddressInfo
afterAll(() => {
  server.close()
  server.closeAllConnections()
})

const headOf = (length: number, more = {}, path = "/") =>
  postHead(path, { "content-length": String(length), ...more })

async function settled(count: number): Promise<void> {
  for (let tries = 0; outcomes.length < count && tries < 500; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(outcomes).toHaveLength(count)
}

/** Goes on with a body byte by byte until it is answered. */
async function answerToTrickle(socket: Socket) {
  const trickle = setInterval(() => socket.write("x"), 20)
  const answer = await readAnswer(socket)
  clearInterval(trickle)
  socket.destroy()
  return answer
}

test("a body that trickles is a 408 long before the time for a whole body is over", async () => {
  outcomes.length = 0
  const socket = await sendBytes(port, headOf(100_000))
  expect((await answerToTrickle(socket)).status).toBe(408)
  expect(budget.used).toBe(0)
})

test("a body of which much came at once and then nothing more is a 408 long before its time is over", async () => {
  outcomes.length = 0
  const socket = await sendBytes(port, headOf(400_000, {}, "/brisk"), "x".repeat(300_000))
  expect((await answerToTrickle(socket)).status).toBe(408)
  expect(budget.used).toBe(0)
})

test("bodies that hold much and come on no more make room for others, in whatever numbers they come", async () => {
  outcomes.length = 0
  const head = headOf(400_000, {}, "/held")
  const held = await Promise.all(Array.from({ length: 2 }, () => sendBytes(port, head, "x".repeat(390_000))))
  for (let round = 0; round < 3; round++) {
    await new Promise((resolve) => setTimeout(resolve, 500)) // longer than between two looks at them
    held.push(await sendBytes(port, head, "x".repeat(390_000)))
    const honest = await sendBytes(port, headOf(400_000), "x".repeat(400_000))
    expect((await readAnswer(honest)).status).toBe(200)
    honest.destroy()
  }
  expect(outcomes.filter((outcome) => outcome === "taken")).toHaveLength(3)
  expect(outcomes).toContain(503)
  for (const socket of held) socket.destroy()
  await settled(held.length + 3)
  expect(budget.used).toBe(0)
})

test("a body that comes steadily may take longer than the grace", async () => {
  outcomes.length = 0
  const socket = await sendBytes(port, headOf(40_000))
  for (let sent = 0; sent < 40_000; sent += 1_000) {
    socket.write("x".repeat(1_000))
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect((await readAnswer(socket)).status).toBe(200)
  socket.destroy()
})

test("steady or not, a body has its time", async () => {
  outcomes.length = 0
  const socket = await sendBytes(port, headOf(500_000))
  const flow = setInterval(() => socket.write("x".repeat(200)), 20)
  const answer = await readAnswer(socket)
  clearInterval(flow)
  socket.destroy()
  expect(answer.status).toBe(408)
  expect(budget.used).toBe(0)
})

test("uploads that are given up at any point leave no byte counted", async () => {
  outcomes.length = 0
  const uploads = 60
  for (let upload = 0; upload < uploads; upload++) {
    const coding: Record<string, string> = upload % 2 === 0 ? {} : { "content-encoding": "gzip" }
    const socket = await sendBytes(port, headOf(50_000, coding), "x".repeat(upload * 800 + 1))
    await new Promise((resolve) => setTimeout(resolve, upload % 3))
    if (upload % 2 === 0) socket.destroy()
    else socket.resetAndDestroy()
  }
  // Those that were gone before Node had read their head are told of to nobody.
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(outcomes.length).toBeLessThanOrEqual(uploads)
  expect(outcomes.every((outcome) => outcome === 400 || outcome === 408)).toBe(true)
  expect(budget.used).toBe(0)
})

test("more than the budget holds is turned away, and what was held is given back", async () => {
  outcomes.length = 0
  const sockets = await Promise.all(
    Array.from({ length: 4 }, () => sendBytes(port, headOf(400_000, {}, "/patient"), "x".repeat(390_000))),
  )
  await settled(2) // two do not fit beside the others
  expect(outcomes).toEqual([503, 503])
  expect(budget.used).toBeGreaterThan(700_000)
  for (const socket of sockets) socket.destroy()
  await settled(4)
  expect(budget.used).toBe(0)
})
