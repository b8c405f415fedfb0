import { randomUUID } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, test } from "vitest"
import { createPool } from "../../src/store/database.ts"
import { platforms } from "../../src/platforms/index.ts"
import { testDatabase } from "../support/database.ts"
import { startProxy } from "./support/database-proxy.ts"
import { githubSecret, sendGithub, starBody } from "./support/github-sender.ts"
import { startIngest } from "./support/start-ingest.ts"

const database = await testDatabase()
const proxy = await startProxy(database.url)
/** Less than any sender's, that the test be quick; of it, 700 ms are for waiting. */
const answerWithinMs = 1_200
const { url } = await startIngest({
  database,
  databaseUrl: proxy.url,
  secrets: { github: [githubSecret] },
  platforms: platforms.map((platform) => ({ ...platform, answerWithinMs })),
  answerTimeoutMs: 400,
})

const newDelivery = () => ({ event: "star", body: starBody(), guid: randomUUID() })

async function eventsOf(guid: string): Promise<string[]> {
  const { rows } = await database.work.query<{ id: string }>("select id from events where delivery_id = $1", [
    guid,
  ])
  return rows.map(({ id }) => id)
}

function expectUnavailable(answer: Awaited<ReturnType<typeof sendGithub>>): void {
  expect(answer.status).toBe(503)
  expect(answer.headers.get("content-type")).toBe("application/problem+json")
  expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0)
  expect(answer.json).toMatchObject({ status: 503, code: "unavailable" })
  expect(JSON.stringify(answer.json)).not.toMatch(/ECONN|127\.0\.0\.1|postgres/)
}

test("while the database is away everybody gets a 503 with Retry-After, and 2xx again as soon as it is back", async () => {
  proxy.cut()
  const deliveries = Array.from({ length: 120 }, newDelivery)
  const startedAt = performance.now()
  const answers = await Promise.all(deliveries.map((delivery) => sendGithub(url, delivery)))
  for (const answer of answers) expectUnavailable(answer)
  // Each in its own time; those behind the first batches do not wait in turn.
  expect(performance.now() - startedAt).toBeLessThan(answerWithinMs * 5)
  proxy.mend()
  for (const delivery of deliveries.slice(0, 5)) {
    expect(await eventsOf(delivery.guid)).toEqual([])
    expect(await sendGithub(url, delivery)).toMatchObject({ status: 202, json: { duplicate: false } })
  }
})

test("a short absence is waited out: senders that never retry lose nothing", async () => {
  proxy.cut()
  const delivery = newDelivery()
  const answer = sendGithub(url, delivery)
  await sleep(100)
  proxy.mend()
  expect(await answer).toMatchObject({ status: 202, json: { duplicate: false } })
  expect(await eventsOf(delivery.guid)).toHaveLength(1)
})

test("a connection lost at the COMMIT, its outcome unknown, ends in one event that is told as new", async () => {
  for (let round = 0; round < 5; round++) {
    const delivery = newDelivery()
    const before = proxy.commits()
    proxy.cutAfterNextCommit()
    const answer = await sendGithub(url, delivery)
    expect(proxy.commits()).toBeGreaterThan(before + 1)
    expect(answer).toMatchObject({ status: 202, json: { duplicate: false } })
    expect(await eventsOf(delivery.guid)).toEqual([answer.json["eventId"]])
  }
})

test("a server that does not answer is a 503, and no connection is lost to it", async () => {
  expect(await sendGithub(url, newDelivery())).toMatchObject({ status: 202 }) // connections are open
  proxy.freeze()
  const answers = await Promise.all(Array.from({ length: 4 }, () => sendGithub(url, newDelivery())))
  for (const answer of answers) expectUnavailable(answer)
  proxy.mend()
  for (let index = 0; index < 4; index++) {
    expect(await sendGithub(url, newDelivery())).toMatchObject({ status: 202 })
  }
})

test("whatever got 2xx while sessions were being killed is there, once", async () => {
  const burst = { over: false }
  const owner = createPool(database.url, { max: 1 }) // the worker role may not see what others run
  const killer = (async () => {
    let killed = 0
    while (!burst.over) {
      const { rows } = await owner.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = 'signalbox worker'`,
      )
      killed += rows.length
      await sleep(150)
    }
    await owner.end()
    return killed
  })()
  const statuses = new Set<number>()
  const accepted: { guid: string; eventId: unknown }[] = []
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let index = 0; index < 25; index++) {
        const delivery = newDelivery()
        const { status, json } = await sendGithub(url, delivery)
        statuses.add(status)
        if (status === 202) accepted.push({ guid: delivery.guid, eventId: json["eventId"] })
      }
    }),
  )
  burst.over = true
  expect(await killer).toBeGreaterThan(0)
  expect([202, 503]).toEqual(expect.arrayContaining([...statuses]))
  expect(accepted.length).toBeGreaterThan(0)
  for (const { guid, eventId } of accepted) expect(await eventsOf(guid)).toEqual([eventId])
})
