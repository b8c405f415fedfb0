import { request } from "node:http"
import { brotliDecompressSync, gunzipSync } from "node:zlib"
import { expect, test } from "vitest"
import { codeOnce } from "../../src/api/compress.ts"
import { logEvents } from "../support/events.ts"
import { adminKey, startTestHub } from "../support/hub.ts"

const hub = await startTestHub()
await logEvents(
  hub.database.work,
  Array.from({ length: 20 }, (_, n) => ({ payload: { n, text: "again and ".repeat(500) } })),
)

/** An answer as it comes over the wire. */
async function get(
  path: string,
  accepted?: string,
): Promise<{ coding: string | undefined; vary: string; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${adminKey}`,
      ...(accepted === undefined ? {} : { "accept-encoding": accepted }),
    }
    const sent = request(hub.url + path, { headers }, (response) => {
      const chunks: Buffer[] = []
      response.on("data", (bytes: Buffer) => chunks.push(bytes))
      response.on("end", () => {
        const body = Buffer.concat(chunks)
        expect(Number(response.headers["content-length"] ?? body.length)).toBe(body.length)
        resolve({ coding: response.headers["content-encoding"], vary: response.headers["vary"] ?? "", body })
      })
    })
    sent.on("error", reject)
    sent.end()
  })
}

test("a large page comes in gzip or Brotli to whoever asks, and is the same", async () => {
  const plain = await get("/api/v1/events")
  expect(plain.coding).toBeUndefined()
  const gzip = await get("/api/v1/events", "gzip, br")
  expect([gzip.coding, gzip.vary]).toEqual(["gzip", expect.stringContaining("accept-encoding")])
  expect(gunzipSync(gzip.body).equals(plain.body)).toBe(true)
  expect(gzip.body.length).toBeLessThan(plain.body.length / 5)
  const brotli = await get("/api/v1/events?limit=20", "br")
  expect(brotli.coding).toBe("br")
  expect(brotliDecompressSync(brotli.body).equals(plain.body)).toBe(true)
})

test("what is small, or no client asks for, comes as it is", async () => {
  expect((await get("/api/v1/events?limit=1", "gzip")).coding).toBeUndefined()
  expect((await get("/api/v1/events", "identity")).coding).toBeUndefined()
  expect((await get("/api/v1/events", "gzip;q=0")).coding).toBeUndefined()
  const { events } = JSON.parse((await get("/api/v1/events?limit=1")).body.toString()) as {
    events: { id: string }[]
  }
  expect((await get(`/api/v1/events/${events[0]?.id}/raw`, "gzip")).coding).toBeUndefined()
})

test("the documentation comes in gzip or Brotli to whoever asks, and is the same", async () => {
  for (const path of ["/openapi.json", "/docs"]) {
    const plain = await get(path)
    expect([plain.coding, plain.vary]).toEqual([undefined, expect.stringContaining("accept-encoding")])
    for (let time = 0; time < 2; time++) {
      const gzip = await get(path, "gzip, br")
      expect([gzip.coding, gzip.vary]).toEqual(["gzip", expect.stringContaining("accept-encoding")])
      expect(gunzipSync(gzip.body).equals(plain.body)).toBe(true)
      const brotli = await get(path, "br")
      expect([brotli.coding, brotli.vary]).toEqual(["br", expect.stringContaining("accept-encoding")])
      expect(brotliDecompressSync(brotli.body).equals(plain.body)).toBe(true)
    }
  }
})

test("what stays as it is, is made once and compressed once, however many ask", async () => {
  const coded: string[] = []
  let made = 0
  const large = "again and ".repeat(2_000)
  const inCoding = codeOnce(
    async () => {
      made++
      return large
    },
    async (body, coding) => {
      coded.push(coding)
      return body.subarray(0, 10)
    },
  )
  const asked = ["gzip", "br", "gzip, br", "identity", undefined, "br", "gzip"]
  const answers = await Promise.all(asked.map(inCoding))
  expect(answers.map(({ coding }) => coding)).toEqual(["gzip", "br", "gzip", null, null, "br", "gzip"])
  expect(Buffer.from(answers[3]!.body).toString()).toBe(large)
  expect(coded.toSorted()).toEqual(["br", "gzip"])
  expect(made).toBe(1)
  expect((await codeOnce(async () => "small")("gzip")).coding).toBeNull()
})
