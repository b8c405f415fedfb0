import { IncomingMessage } from "node:http"
import { Socket } from "node:net"
import { expect, test } from "vitest"
import { createByteBudget } from "../../src/ingest/byte-budget.ts"
import { readBody } from "../../src/ingest/read-body.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/hub.ts"
import { postHead, readAnswer, sendBytes } from "./support/raw-request.ts"
import { startIngest } from "./support/start-ingest.ts"

const database = await testDatabase()
const bounds = { database, secrets: {}, maxBodyBytes: 60_000, maxWaitingBytes: 100_000 }
const roomy = await startIngest(bounds)
const hasty = await startIngest({ ...bounds, bodyTimeoutMs: 300 })
const ending = await startIngest(bounds)
const path = "/api/v1/events"
const body = '{"type":"order.shipped"}'.padEnd(60_000)
const headers = { "content-type": "application/json", "content-length": String(body.length) }

async function post(url: string, content = body): Promise<number> {
  const response = await fetch(url + path, {
    method: "POST",
    headers: { ...headers, "content-length": String(content.length) },
    body: content,
  })
  await response.body?.cancel()
  return response.status
}

test("a submission counts once among the bodies in memory, and no more when it is stored", async () => {
  const { url } = roomy
  for (let n = 0; n < 4; n++) expect(await post(url)).toBe(202)
})

test("submissions that are still arriving count: one that finds no room is a 503 until they are gone", async () => {
  const { url, port } = roomy
  const halfSent = () => sendBytes(port, postHead(path, headers), body.slice(0, -1))
  const sockets = [await halfSent(), await halfSent()] // there is room for either
  const refused = await Promise.race(sockets.map(readAnswer))
  expect(refused).toMatchObject({ status: 503, head: expect.stringMatching(/\r\nretry-after: \d/i) })
  for (const socket of sockets) socket.destroy()
  const status = await until(
    () => post(url),
    (answer) => answer !== 503,
  )
  expect(status).toBe(202)
})

test("a submission that does not arrive in time is a 408, and one that is too large a 413", async () => {
  const { url, port } = hasty
  const socket = await sendBytes(port, postHead(path, headers), body.slice(0, -1))
  expect((await readAnswer(socket)).status).toBe(408)
  socket.destroy()
  expect(await post(url, `${body} `)).toBe(413)
  for (let n = 0; n < 2; n++) expect(await post(url)).toBe(202) // nothing of theirs is counted any more
})

test("a body whose sender is gone before it is read is refused, not waited for", async () => {
  const incoming = new IncomingMessage(new Socket())
  incoming.destroy()
  const limits = { maxBytes: 10, timeoutMs: 30_000, budget: createByteBudget(10) }
  await expect(readBody(incoming, limits)).rejects.toMatchObject({ status: 400 })
})

test("a hub that closes takes no submission", async () => {
  const { url, ingest } = ending
  await ingest.close()
  expect(await post(url)).toBe(503)
})
