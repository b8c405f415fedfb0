import { randomUUID } from "node:crypto"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { githubHeaders, githubSecret, jsonOf, sendGithub, starBody } from "./support/github-sender.ts"
import { startIngest } from "./support/start-ingest.ts"

const database = await testDatabase()
const secrets = { github: [githubSecret] }
const second = { platform: "github", name: "second", secrets: [githubSecret] }
const other = { platform: "github", name: "other-tenant", tenant: "acme", secrets: [githubSecret] }
const extra = [second, other]
// Two processes of one hub, as far as the database can tell.
const one = await startIngest({ database, secrets, extra })
const two = await startIngest({ database, secrets, extra })

async function countOf(table: string, guid: string): Promise<number> {
  const { rows } = await database.work.query<{ count: number }>(
    `select count(*) from ${table} where delivery_id = $1`,
    [guid],
  )
  return rows[0]?.count ?? -1
}

test("the same delivery from many connections at once is one event, and all are told the same id", async () => {
  for (let round = 0; round < 5; round++) {
    const delivery = { event: "star", body: starBody(), guid: randomUUID() }
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => sendGithub(index % 2 === 0 ? one.url : two.url, delivery)),
    )
    expect(answers.every(({ status }) => status === 202)).toBe(true)
    expect(new Set(answers.map(({ json }) => json["eventId"])).size).toBe(1)
    expect(answers.filter(({ json }) => json["duplicate"] === false)).toHaveLength(1)
    expect(await countOf("events", delivery.guid)).toBe(1)
  }
})

test("batches of two processes that share keys in any order end, and each key is one event", async () => {
  const deliveries = Array.from({ length: 40 }, () => ({
    event: "star",
    body: starBody(),
    guid: randomUUID(),
  }))
  const sendAll = (url: string, order: typeof deliveries) =>
    Promise.all(order.map((next) => sendGithub(url, next)))
  const rounds = await Promise.all([
    sendAll(one.url, deliveries),
    sendAll(two.url, deliveries.toReversed()),
    sendAll(
      one.url,
      deliveries.toSorted((a, b) => (a.guid < b.guid ? -1 : 1)),
    ),
    sendAll(
      two.url,
      deliveries.toSorted((a, b) => (a.guid > b.guid ? -1 : 1)),
    ),
  ])
  const fresh = rounds.flat().filter(({ json }) => json["duplicate"] === false)
  expect(fresh).toHaveLength(deliveries.length)
  for (const { guid } of deliveries) expect(await countOf("events", guid)).toBe(1)
})

test("a known key with another body is kept as a conflict, once for each distinct body", async () => {
  const guid = randomUUID()
  const bodies = ["", ',"n":1', ',"n":2', ',"n":1', "", ',"n":2'].map(starBody)
  const answers = []
  for (const body of bodies) answers.push(await sendGithub(one.url, { event: "star", body, guid }))
  const eventId = answers[0]?.json["eventId"]
  expect(answers.map(({ status, json }) => ({ status, json }))).toEqual([
    { status: 202, json: { eventId, duplicate: false } },
    { status: 202, json: { eventId, duplicate: false, conflict: true } },
    { status: 202, json: { eventId, duplicate: false, conflict: true } },
    { status: 202, json: { eventId, duplicate: false, conflict: true } },
    { status: 202, json: { eventId, duplicate: true } },
    { status: 202, json: { eventId, duplicate: false, conflict: true } },
  ])
  const { rows } = await database.work.query<{
    event_id: string
    raw: Buffer
    tenant: string
    source: string
  }>(
    "select event_id, raw, tenant, source from event_conflicts where delivery_id = $1 order by received_at",
    [guid],
  )
  expect(rows).toEqual([
    { event_id: eventId, raw: bodies[1], tenant: "default", source: "default" },
    { event_id: eventId, raw: bodies[2], tenant: "default", source: "default" },
  ])
})

test("the same key at another source, or another tenant's, is another event", async () => {
  const delivery = { event: "star", body: starBody(), guid: randomUUID() }
  const ids = new Set<unknown>()
  for (const path of ["", "/second", "/other-tenant", "/default"]) {
    const response = await fetch(`${one.url}/webhooks/github${path}`, {
      method: "POST",
      headers: githubHeaders(delivery),
      body: new Uint8Array(delivery.body),
    })
    const { eventId, duplicate } = await jsonOf(response)
    expect(duplicate).toBe(path === "/default")
    ids.add(eventId)
  }
  expect(ids.size).toBe(3)
  const { rows } = await database.work.query(
    "select tenant, source from events where delivery_id = $1 order by id",
    [delivery.guid],
  )
  expect(rows).toEqual([
    { tenant: "default", source: "default" },
    { tenant: "default", source: "second" },
    { tenant: "acme", source: "other-tenant" },
  ])
})

test("whatever comes how often, in whatever order and company: one event a key, one conflict a further body", async () => {
  const arrival = fc.record({ key: fc.nat(3), body: fc.nat(2), process: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(arrival, { minLength: 1, maxLength: 12 }), { maxLength: 4 }),
      async (waves) => {
        const guids = Array.from({ length: 4 }, () => randomUUID())
        const seen = new Map<string, Set<number>>()
        for (const wave of waves) {
          await Promise.all(
            wave.map(async ({ key, body, process }) => {
              const guid = guids[key] ?? ""
              seen.set(guid, (seen.get(guid) ?? new Set()).add(body))
              const delivery = { event: "star", body: starBody(`,"n":${body}`), guid }
              expect((await sendGithub(process ? one.url : two.url, delivery)).status).toBe(202)
            }),
          )
        }
        for (const [guid, bodies] of seen) {
          expect(await countOf("events", guid)).toBe(1)
          expect(await countOf("event_conflicts", guid)).toBe(bodies.size - 1)
        }
      },
    ),
    { numRuns: 25 },
  )
})
