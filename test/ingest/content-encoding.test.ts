import { randomUUID } from "node:crypto"
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from "node:zlib"
import { expect, test } from "vitest"
import { createByteBudget } from "../../src/ingest/byte-budget.ts"
import { inflate, type Coding } from "../../src/ingest/inflate.ts"
import { findRaw } from "../../src/store/events.ts"
import { testDatabase } from "../support/database.ts"
import { githubHeaders, githubSecret, jsonOf, starBody } from "./support/github-sender.ts"
import { startIngest } from "./support/start-ingest.ts"

const database = await testDatabase()
const maxBodyBytes = 4 * 1024 * 1024
const { url } = await startIngest({ database, secrets: { github: [githubSecret] }, maxBodyBytes })

const coders: readonly (readonly [string, (body: Buffer) => Buffer])[] = [
  ["gzip", gzipSync],
  ["x-gzip", gzipSync],
  ["GZip", gzipSync],
  ["deflate", deflateSync],
  ["deflate", deflateRawSync],
  ["br", brotliCompressSync],
]

async function post(
  encoding: string,
  content: Buffer,
  headers: Record<string, string>,
): Promise<{ status: number; json: Record<string, unknown> }> {
  const response = await fetch(`${url}/webhooks/github`, {
    method: "POST",
    headers: { ...headers, "content-encoding": encoding },
    body: new Uint8Array(content),
  })
  return { status: response.status, json: await jsonOf(response) }
}

test.each(coders)(
  "a body in %s is stored as what it is, whichever of the two is signed",
  async (encoding, code) => {
    const body = starBody(`,"note":"${"ü".repeat(100)}"`)
    const coded = code(body)
    for (const signedBytes of [body, coded]) {
      const guid = randomUUID()
      const headers = githubHeaders({ event: "star", body: signedBytes, guid })
      const answer = await post(encoding, coded, headers)
      expect(answer).toMatchObject({ status: 202, json: { duplicate: false } })
      expect(await findRaw(database.work, String(answer.json["eventId"]))).toEqual({
        raw: body,
        contentType: "application/json",
      })
      // Sent again without the coding, it is the same delivery.
      const plain = await post("identity", body, githubHeaders({ event: "star", body, guid }))
      expect(plain).toMatchObject({ status: 202, json: { ...answer.json, duplicate: true } })
    }
  },
)

test("a coded submission through the API is stored as what it is", async () => {
  const body = Buffer.from(JSON.stringify({ type: "shop.order.paid", title: "x".repeat(500) }))
  const response = await fetch(`${url}/api/v1/events`, {
    method: "POST",
    headers: { "content-type": "application/json", "content-encoding": "gzip" },
    body: new Uint8Array(gzipSync(body)),
  })
  expect(response.status).toBe(202)
  const { eventId } = await jsonOf(response)
  expect((await findRaw(database.work, String(eventId)))?.raw.equals(body)).toBe(true)
})

test.each(coders)("bytes that are not in %s are a 400", async (encoding, code) => {
  const body = starBody()
  const coded = code(body)
  for (const wrong of [
    body,
    Buffer.alloc(0),
    coded.subarray(0, -3),
    Buffer.concat([coded, Buffer.from("and more")]),
  ]) {
    const answer = await post(encoding, wrong, githubHeaders({ event: "star", body: wrong }))
    expect(answer).toMatchObject({ status: 400, json: { code: "bad_request" } })
  }
})

test.each(coders)("a bomb in %s is a 413", async (encoding, code) => {
  for (const [size, words] of [
    [3 * 1024 * 1024, /more than 100 times its size/],
    [64 * 1024 * 1024, /more than/],
  ] as const) {
    const bomb = code(Buffer.alloc(size, " "))
    const answer = await post(encoding, bomb, githubHeaders({ event: "star", body: bomb }))
    expect(answer).toMatchObject({ status: 413, json: { code: "too_large" } })
    expect(answer.json["detail"]).toMatch(words)
  }
})

test("a body that is large and true is taken", async () => {
  const body = starBody(
    `,"list":[${Array.from({ length: 40_000 }, (_, index) => `"${index * 7919}-${index}"`).join()}]`,
  )
  const answer = await post("gzip", gzipSync(body), githubHeaders({ event: "star", body }))
  expect(answer.status).toBe(202)
})

test("whatever comes of inflating, the budget has its bytes back", async () => {
  const budget = createByteBudget(100_000)
  const limits = { maxBytes: 80_000, budget }
  const codings: Coding[] = ["gzip", "deflate", "br"]
  const coder = { gzip: gzipSync, deflate: deflateSync, br: brotliCompressSync }
  for (const coding of codings) {
    const body = Buffer.alloc(50_000, "abc")
    const inflated = await inflate(coder[coding](body), coding, limits)
    expect(inflated.equals(body)).toBe(true)
    expect(budget.used).toBe(50_000)
    const second = Buffer.alloc(60_000, "abc")
    await expect(inflate(coder[coding](second), coding, limits)).rejects.toMatchObject({ status: 503 })
    expect(budget.used).toBe(50_000)
    budget.give(50_000)
    await expect(inflate(coder[coding](Buffer.alloc(90_000)), coding, limits)).rejects.toMatchObject({
      status: 413,
    })
    await expect(inflate(coder[coding](body).subarray(0, 10), coding, limits)).rejects.toMatchObject({
      status: 400,
    })
    expect(budget.used).toBe(0)
  }
})
