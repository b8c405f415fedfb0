import { randomUUID } from "node:crypto"
import { expect, test } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { SignalboxError } from "../../src/core/errors.ts"
import { createRefusalRecorder } from "../../src/ingest/refusals.ts"
import { writeRefusals, type Refusal } from "../../src/store/refusals.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/hub.ts"
import { githubHeaders, githubSecret, sendGithub, starBody } from "./support/github-sender.ts"
import { postHead, sendBytes } from "./support/raw-request.ts"
import { startIngest } from "./support/start-ingest.ts"

const database = await testDatabase()
const { url, port } = await startIngest({
  database,
  secrets: { github: [githubSecret] },
  maxBodyBytes: 100_000,
  bodyTimeoutMs: 300,
})

interface ReceiptOf {
  outcome: string
  code: string | null
  reason: string | null
  delivery_id: string | null
  event_id: string | null
  secret_id: string | null
  headers: Record<string, string>
  body_bytes: number | null
  requests: number
}

async function receiptsSince(before: Date): Promise<ReceiptOf[]> {
  const { rows } = await database.work.query<ReceiptOf>(
    `select outcome, code, reason, delivery_id, event_id, secret_id, headers, body_bytes, requests
     from receipts where received_at >= $1 order by id`,
    [before],
  )
  return rows
}

function totalOf(receipts: readonly { requests: number }[]): number {
  return receipts.reduce((sum, { requests }) => sum + requests, 0)
}

/** The one receipt that something leaves, within a second or so. */
async function receiptOf(act: () => Promise<unknown>, outcome: string): Promise<ReceiptOf> {
  const before = new Date()
  await act()
  const wanted = async () => (await receiptsSince(before)).filter((receipt) => receipt.outcome === outcome)
  const receipts = await until(wanted, (found) => found.length > 0)
  expect(receipts).toHaveLength(1)
  const [receipt] = receipts
  if (receipt === undefined) throw new Error("no receipt")
  return receipt
}

test("an accepted webhook is its own receipt", async () => {
  const delivery = { event: "star", body: starBody(), guid: randomUUID() }
  expect(await receiptOf(() => sendGithub(url, delivery), "accepted")).toMatchObject({
    delivery_id: delivery.guid,
    secret_id: "env:1",
    body_bytes: delivery.body.length,
    requests: 1,
  })
})

test("a repeat leaves a receipt that names the event which was there, and the hook it came by", async () => {
  const delivery = { event: "star", body: starBody(), guid: randomUUID() }
  const { json } = await sendGithub(url, delivery)
  const repeat = () => sendGithub(url, delivery, { "x-github-hook-id": "7" })
  expect(await receiptOf(repeat, "duplicate")).toEqual({
    outcome: "duplicate",
    code: null,
    reason: null,
    delivery_id: delivery.guid,
    event_id: json["eventId"],
    secret_id: "env:1",
    headers: {
      "user-agent": "node",
      "x-github-delivery": delivery.guid,
      "x-github-event": "star",
      "x-github-hook-id": "7",
    },
    body_bytes: delivery.body.length,
    requests: 1,
  })
})

test("one event by two hooks, in a body for each, is a duplicate with a receipt of its own; the body is kept", async () => {
  const guid = randomUUID()
  const byHook = (hook: number, body: Buffer) =>
    sendGithub(url, { event: "star", body, guid }, { "x-github-hook-id": String(hook) })
  const { json } = await byHook(1, starBody())
  const installed = starBody(',"installation":{"id":5}')
  const receipt = await receiptOf(async () => {
    expect(await byHook(2, installed)).toMatchObject({ json: { ...json, duplicate: true } })
  }, "duplicate")
  expect(receipt).toMatchObject({ event_id: json["eventId"], headers: { "x-github-hook-id": "2" } })
  const { rows } = await database.work.query(
    "select raw, event_id from event_conflicts where delivery_id = $1",
    [guid],
  )
  expect(rows).toEqual([{ raw: installed, event_id: json["eventId"] }])
})

test("two hooks that tell of one event at the same moment make one event and no conflict", async () => {
  for (let round = 0; round < 10; round++) {
    const guid = randomUUID()
    const answers = await Promise.all(
      [1, 2].map((hook) =>
        sendGithub(
          url,
          { event: "star", body: starBody(`,"hook":${hook}`), guid },
          { "x-github-hook-id": String(hook) },
        ),
      ),
    )
    expect(answers.map(({ json }) => json["conflict"])).toEqual([undefined, undefined])
    expect(answers.filter(({ json }) => json["duplicate"] === true)).toHaveLength(1)
  }
})

test("a conflict leaves a receipt, whether or not its body was kept before", async () => {
  const guid = randomUUID()
  const { json } = await sendGithub(url, { event: "star", body: starBody(), guid })
  for (let round = 0; round < 2; round++) {
    const other = { event: "star", body: starBody(',"other":1'), guid }
    expect(await receiptOf(() => sendGithub(url, other), "conflict")).toMatchObject({
      event_id: json["eventId"],
      delivery_id: guid,
    })
  }
})

const secretText = "a-value-that-was-never-believed"
const refusals: [string, () => Promise<unknown>, object][] = [
  [
    "a bad signature",
    () =>
      sendGithub(
        url,
        { event: "star", body: starBody() },
        { "x-hub-signature-256": `sha256=${"0".repeat(64)}` },
      ),
    { code: "signature_mismatch", body_bytes: starBody().length },
  ],
  [
    "no signature",
    () =>
      fetch(`${url}/webhooks/github`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-github-event": secretText },
        body: `{"a":"${secretText}"}`,
      }),
    { code: "signature_missing" },
  ],
  [
    "a media type that is not taken",
    () =>
      fetch(`${url}/webhooks/github`, {
        method: "POST",
        headers: { "content-type": `text/${secretText}` },
        body: "x",
      }),
    { code: "unsupported_media_type", body_bytes: null },
  ],
  [
    "a body that is too large",
    () => sendGithub(url, { event: "star", body: Buffer.alloc(100_001) }),
    { code: "too_large" },
  ],
  [
    "a body that is not JSON",
    () => sendGithub(url, { event: "star", body: Buffer.from(`{"a":${secretText}`) }),
    { code: "malformed_json" },
  ],
  [
    "a body nested too deep",
    () => sendGithub(url, { event: "star", body: Buffer.from("[".repeat(5_000) + "]".repeat(5_000)) }),
    { code: "too_deep" },
  ],
  [
    "a sender that hangs up",
    async () => {
      const headers = { ...githubHeaders({ event: "star", body: starBody() }), "content-length": "500" }
      const socket = await sendBytes(port, postHead("/webhooks/github", headers), "{")
      await new Promise((resolve) => setTimeout(resolve, 50))
      socket.resetAndDestroy()
    },
    { code: "bad_request", reason: "the request ended before its body did" },
  ],
  [
    "a sender that is too slow",
    async () => {
      const headers = { ...githubHeaders({ event: "star", body: starBody() }), "content-length": "500" }
      const socket = await sendBytes(port, postHead("/webhooks/github", headers), "{")
      await new Promise((resolve) => setTimeout(resolve, 400))
      socket.destroy()
    },
    { code: "bad_request", reason: "the body did not arrive in time" },
  ],
  [
    "a source that is off",
    () => fetch(`${url}/webhooks/linear`, { method: "POST", body: "{}" }),
    { code: "source_off" },
  ],
]
test.each(refusals)(
  "%s leaves a receipt with the reason, and nothing that was not believed",
  async (_, act, expected) => {
    const receipt = await receiptOf(act, "rejected")
    expect(receipt).toMatchObject({
      requests: 1,
      headers: {},
      delivery_id: null,
      event_id: null,
      ...expected,
    })
    expect(receipt.reason).not.toBe("")
    expect(JSON.stringify(receipt)).not.toContain(secretText)
  },
)

test("requests that are nobody's leave nothing", async () => {
  const before = new Date()
  await fetch(`${url}/webhooks/gitlab`, { method: "POST", body: "{}" })
  await fetch(`${url}/webhooks/github/nobody`, { method: "POST", body: "{}" })
  const forged = { "x-hub-signature-256": `sha256=${"0".repeat(64)}` }
  await sendGithub(url, { event: "star", body: starBody() }, forged) // written with or after the others
  const receipts = await until(
    () => receiptsSince(before),
    (found) => found.length > 0,
  )
  expect(receipts.map(({ code }) => code)).toEqual(["signature_mismatch"])
})

test("a flood of 50,000 bad signatures leaves few rows, and the exact number", async () => {
  const before = new Date()
  const body = starBody()
  const headers = {
    ...githubHeaders({ event: "star", body }),
    "x-hub-signature-256": `sha256=${"0".repeat(64)}`,
    "content-length": String(body.length),
  }
  const request = Buffer.concat([Buffer.from(postHead("/webhooks/github", headers)), body])
  const perConnection = 2_500
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const socket = await sendBytes(port)
      for (let sent = 0; sent < perConnection; sent += 50) {
        socket.write(Buffer.concat(Array.from({ length: 50 }, () => request)))
        let answers = 0
        while (answers < 50) {
          const [chunk]: Buffer[] = await new Promise((resolve) =>
            socket.once("data", (data) => resolve([data])),
          )
          answers += String(chunk).split("HTTP/1.1 401").length - 1
        }
      }
      socket.destroy()
    }),
  )
  const receipts = await until(
    () => receiptsSince(before),
    (found) => totalOf(found) >= 50_000,
  )
  expect(totalOf(receipts)).toBe(50_000)
  expect(new Set(receipts.map(({ code }) => code))).toEqual(new Set(["signature_mismatch"]))
  const seconds = (Date.now() - before.getTime()) / 1_000
  expect(receipts.length).toBeLessThanOrEqual(11 * Math.ceil(seconds + 1))
}, 120_000)

const source = { tenant: "default", platform: "github", name: "default", secrets: [] }
const refused = new SignalboxError("signature_mismatch", "no secret matches")
const turnedAway = new SignalboxError("unavailable", "try again")

test("while the database is away receipts wait in bounded room, and all are counted when it is back", async () => {
  let away = true
  const sizes: number[] = []
  const written: Refusal[] = []
  const recorder = createRefusalRecorder({
    log: silentLog,
    intervalMs: 5,
    maxWaiting: 50,
    write: async (rows) => {
      sizes.push(rows.length)
      if (away) throw new Error("ECONNREFUSED")
      written.push(...structuredClone(rows))
    },
  })
  for (let round = 0; round < 40; round++) {
    for (let index = 0; index < 100; index++) {
      recorder.note(source, index % 2 === 0 ? refused : turnedAway, new Date(), {})
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  away = false
  await recorder.close()
  expect(totalOf(written)).toBe(4_000)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(52)
})

test("receipts that are written twice, since nobody knew that they were, count once", async () => {
  const before = new Date()
  let lost = 1
  const recorder = createRefusalRecorder({
    log: silentLog,
    intervalMs: 5,
    write: async (rows) => {
      await writeRefusals(database.work, rows)
      if (lost-- > 0) throw new Error("the connection ended at the COMMIT")
    },
  })
  const gaps = async () => {
    const { rows } = await database.work.query<{ requests: number; reason: string; state: string }>(
      "select requests, reason, state from source_gaps where kind = 'outage' and ended_at >= $1",
      [before],
    )
    return rows
  }
  for (let index = 0; index < 30; index++) recorder.note(source, turnedAway, new Date(), {})
  await until(gaps, (found) => found.length > 0)
  for (let index = 0; index < 5; index++) recorder.note(source, turnedAway, new Date(), {})
  await recorder.close()
  const receipts = await receiptsSince(before)
  expect(totalOf(receipts)).toBe(35)
  expect(await gaps()).toEqual([{ requests: 35, reason: "database_away", state: "open" }])
})
