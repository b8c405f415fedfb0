import { once } from "node:events"
import { request, type IncomingMessage } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { createBrotliDecompress, createGunzip, type BrotliDecompress, type Gunzip } from "node:zlib"
import { expect, it } from "vitest"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { SseParser } from "./support/sse-parser.ts"
import { streamServer } from "./support/server.ts"

const database = await testDatabase()
const server = await streamServer(database)
const tenant = { "x-tenant": "default" }

async function open(acceptEncoding: string, query = ""): Promise<IncomingMessage> {
  const sent = request(`${server.url}/api/v1/events/stream${query}`, {
    headers: { ...tenant, "accept-encoding": acceptEncoding },
    agent: false,
  })
  sent.end()
  const [response] = (await once(sent, "response")) as [IncomingMessage]
  return response
}

/** What a decoder makes of a stream, as it comes. */
function decoded(response: IncomingMessage): { parser: SseParser; decoder: Gunzip | BrotliDecompress } {
  const decoder = response.headers["content-encoding"] === "br" ? createBrotliDecompress() : createGunzip()
  const parser = new SseParser()
  decoder.on("data", (bytes: Buffer) => parser.push(bytes))
  response.pipe(decoder)
  return { parser, decoder }
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    if (waited > 20_000) throw new Error("nothing in 20 s")
    await sleep(10)
  }
}

it.each([
  ["gzip", "gzip"],
  ["gzip, deflate, br, zstd", "gzip"],
  ["br", "br"],
  ["gzip;q=0.2, br;q=0.8", "br"],
  ["*", "gzip"],
  ["identity", undefined],
  ["gzip;q=0", undefined],
  ["", undefined],
])("with Accept-Encoding: %s a stream comes as %s", async (accepted, coding) => {
  const response = await open(accepted)
  expect(response.headers["content-encoding"]).toBe(coding)
  expect(response.headers.vary).toContain("accept-encoding")
  response.destroy()
})

it.each(["gzip", "br"])(
  "in %s history, news and heartbeats are what others get, event by event",
  async (coding) => {
    const [before] = await logEvents(database.work, [{ payload: { text: "before".repeat(100_000) } }])
    const plain = await server.open(`?after=earliest&heartbeat=1`)
    const packed = decoded(await open(coding, `?after=earliest&heartbeat=1`))
    await until(() => packed.parser.messages.some(({ data }) => data.includes(before?.id ?? "?")))
    for (let n = 0; n < 20; n++) {
      await logEvents(database.work, [{ payload: { n } }])
      await sleep(10)
    }
    const late = decoded(await open(coding, `?after=earliest`)) // a group that others are in already
    const [last] = await logEvents(database.work, [{ payload: { last: true } }])
    const isThere = (parser: SseParser) => parser.messages.some(({ data }) => data.includes(last?.id ?? "?"))
    await until(() => [plain.parser, packed.parser, late.parser].every(isThere))
    expect(packed.parser.messages).toEqual(plain.parser.messages)
    expect(late.parser.messages).toEqual(plain.parser.messages)
    await sleep(1_500) // heartbeats
    plain.cut()
    packed.decoder.destroy()
    late.decoder.destroy()
  },
)

it.each(["gzip", "br"])("a stream in %s that the hub ends is whole to its decoder", async (coding) => {
  const own = await streamServer(database)
  const sent = request(`${own.url}/api/v1/events/stream?after=earliest`, {
    headers: { "accept-encoding": coding },
    agent: false,
  })
  sent.end()
  const [response] = (await once(sent, "response")) as [IncomingMessage]
  const { parser, decoder } = decoded(response)
  await until(() => parser.messages.length > 0)
  const ended = once(decoder, "end") // an error where the checksum, the length or the end is wrong
  await own.stop()
  await ended
  expect(parser.retry).toBeGreaterThanOrEqual(1000)
})

it("an event that repeats itself takes a fraction of its bytes to every client in gzip", async () => {
  const responses = await Promise.all(Array.from({ length: 20 }, () => open("gzip")))
  const packed = responses.map(decoded)
  const raw = responses.map((response) => {
    const chunks: Buffer[] = []
    response.on("data", (bytes: Buffer) => chunks.push(bytes))
    return chunks
  })
  await until(() => server.streaming.connections.stats().catchingUp === 0)
  const [event] = await logEvents(database.work, [{ payload: { text: "again and again ".repeat(2_000) } }])
  await until(() =>
    packed.every(({ parser }) => parser.messages.some(({ data }) => data.includes(event?.id ?? "?"))),
  )
  const sizes = raw.map((chunks) => Buffer.concat(chunks).length)
  expect(Math.max(...sizes)).toBeLessThan(4_000)
  for (const { decoder } of packed) decoder.destroy()
  for (const response of responses) response.destroy()
})
