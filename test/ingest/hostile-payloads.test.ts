import { randomUUID } from "node:crypto"
import { expect, test } from "vitest"
import { findRaw } from "../../src/store/events.ts"
import { testDatabase } from "../support/database.ts"
import { githubHeaders, githubSecret, jsonOf, sendGithub, starBody } from "./support/github-sender.ts"
import { startIngest } from "./support/start-ingest.ts"

const database = await testDatabase()
const { url } = await startIngest({ database, secrets: { github: [githubSecret] } })

const hostile: Readonly<Record<string, string>> = {
  "an escaped NUL": String.raw`,"note":"a\u0000b"`,
  "an escaped NUL in a key": String.raw`,"a\u0000b":1`,
  "a lone high surrogate": String.raw`,"note":"\ud800"`,
  "a lone low surrogate": String.raw`,"note":"\udc00 after"`,
  "2^53+1": ',"id":9007199254740993',
  "a number past the double": ',"id":1e131072',
  "repeated keys": ',"action":"created","action":"created","x":1,"x":2',
  __proto__: ',"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}',
  "nesting 500 deep": `,"deep":${"[".repeat(500)}${"]".repeat(500)}`,
  "objects 500 deep": `,"deep":${'{"a":'.repeat(500)}1${"}".repeat(500)}`,
  "a long string": `,"note":"${"x".repeat(1_000_000)}"`,
  "line separators and quotes": ',"note":"\u2028\u2029\'; drop table events; --"',
  "spaces and line breaks": " \r\n\t ",
}

test("hostile payloads are taken, kept to the byte, and harm nothing beside them", async () => {
  const deliveries = Object.values(hostile).map((extra) => ({
    event: "star",
    body: starBody(extra),
    guid: randomUUID(),
  }))
  const ordinary = Array.from({ length: 60 }, () => ({ event: "star", body: starBody(), guid: randomUUID() }))
  const answers = await Promise.all(
    [...ordinary.slice(30), ...deliveries, ...ordinary.slice(0, 30)].map(async (delivery) => ({
      delivery,
      answer: await sendGithub(url, delivery),
    })),
  )
  for (const { delivery, answer } of answers) {
    expect(answer).toMatchObject({ status: 202, json: { duplicate: false } })
    const stored = await findRaw(database.work, String(answer.json["eventId"]))
    expect(stored?.raw.equals(delivery.body)).toBe(true)
  }
  const { rows } = await database.work.query("select count(*) from events")
  expect(rows).toEqual([{ count: answers.length }])
  const view = await database.work.query<{ id: string; payload: unknown }>(
    "select id, payload from recent_events",
  )
  expect(new Set(view.rows.map(({ id }) => id))).toEqual(
    new Set(answers.map(({ answer }) => answer.json["eventId"])),
  )
  expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false)
})

test.each([
  ["nested too deep", 400, "too_deep", `,"deep":${"[".repeat(10_000)}${"]".repeat(10_000)}`],
  ["of too many values", 413, "too_large", `,"many":[${"[],".repeat(1_000_000)}1]`],
])("a signed body %s is refused before it is parsed", async (_, status, code, extra) => {
  const answer = await sendGithub(url, { event: "star", body: starBody(extra) })
  expect(answer).toMatchObject({ status, json: { code } })
})

test("a body of many megabytes is taken as it is", async () => {
  const body = starBody(`,"note":"${"0123456789abcdef".repeat(1_200_000)}"`)
  const answer = await sendGithub(url, { event: "star", body })
  expect(answer.status).toBe(202)
  const stored = await findRaw(database.work, String(answer.json["eventId"]))
  expect(stored?.raw.equals(body)).toBe(true)
})

test("a form-encoded delivery is kept as the form it came as", async () => {
  const body = Buffer.from(new URLSearchParams({ payload: starBody().toString() }).toString())
  const contentType = "application/x-www-form-urlencoded"
  const answer = await sendGithub(url, { event: "star", body }, { "content-type": contentType })
  expect(answer.status).toBe(202)
  expect(await findRaw(database.work, String(answer.json["eventId"]))).toEqual({ raw: body, contentType })
})

test("a body sent in pieces is the body", async () => {
  const body = starBody()
  const pieces = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of body) controller.enqueue(new Uint8Array([byte]))
      controller.close()
    },
  })
  const init = {
    method: "POST",
    headers: githubHeaders({ event: "star", body }),
    body: pieces,
    duplex: "half",
  }
  const response = await fetch(`${url}/webhooks/github`, init as RequestInit)
  expect(response.status).toBe(202)
  const stored = await findRaw(database.work, String((await jsonOf(response))["eventId"]))
  expect(stored?.raw.equals(body)).toBe(true)
})

test("headers that the platform does not keep, signatures above all, are not stored", async () => {
  const answer = await sendGithub(
    url,
    { event: "star", body: starBody() },
    { authorization: "Bearer x", cookie: "a=b" },
  )
  const { rows } = await database.work.query<{ headers: Record<string, string> }>(
    "select headers from events where id = $1",
    [answer.json["eventId"]],
  )
  const names = Object.keys(rows[0]?.headers ?? {})
  expect(names).toContain("x-github-delivery")
  expect(names.filter((name) => /signature|authorization|cookie/.test(name))).toEqual([])
})
