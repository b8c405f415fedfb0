import { randomUUID } from "node:crypto"
import { afterEach, expect, test } from "vitest"
import type { PoolClient } from "pg"
import { platforms } from "../../src/platforms/index.ts"
import { testDatabase } from "../support/database.ts"
import { loadFixtures, loadSigner } from "../support/fixtures.ts"
import { until } from "../support/hub.ts"
import { githubSecret, sendGithub, starBody } from "./support/github-sender.ts"
import { untilBlocked } from "./support/locks.ts"
import { startIngest } from "./support/start-ingest.ts"

const database = await testDatabase()
const senders = ["slack", "linear", "github"] as const
const signers = new Map(
  await Promise.all(senders.map(async (name) => [name, await loadSigner(name)] as const)),
)
const secrets = Object.fromEntries(
  senders.map((name) => [
    name,
    [signers.get(name)?.secrets[0] ?? "", ...(name === "github" ? [githubSecret] : [])],
  ]),
)
const { url } = await startIngest({ database, secrets })

const held: PoolClient[] = []
afterEach(async () => {
  for (const client of held.splice(0)) {
    await client.query("rollback")
    client.release()
  }
})

/** Runs a statement in a transaction that stays open until the end of the test. */
async function hold(statement: string, values: unknown[] = []): Promise<void> {
  const client = await database.work.connect()
  held.push(client)
  await client.query("begin")
  await client.query(statement, values)
}

/** Sends an event as its platform does; the answer, and the milliseconds that it took. */
async function send(platform: (typeof senders)[number]) {
  const [fixture] = loadFixtures(platform)
  const signer = signers.get(platform)
  if (fixture === undefined || signer === null || signer === undefined) throw new Error("no fixture")
  const headers = { ...fixture.request.headers }
  if (platform === "github") headers["x-github-delivery"] = randomUUID()
  const body = Buffer.from(fixture.request.body)
  const signed = signer.sign({ body, headers, secret: signer.secrets[0], now: new Date() })
  const began = performance.now()
  const response = await fetch(`${url}/webhooks/${platform}`, {
    method: "POST",
    headers: { ...headers, ...signed },
    body: new Uint8Array(body),
  })
  await response.arrayBuffer()
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    ms: performance.now() - began,
  }
}

test("with the database stuck each sender is held for as long as it waits, whatever company it came in, and gets a 503", async () => {
  await hold("lock table events in access exclusive mode")
  const answers = await Promise.all(
    senders.flatMap((name) => [send(name), send(name)].map(async (sent) => ({ name, ...(await sent) }))),
  )
  for (const { name, status, retryAfter, ms } of answers) {
    const limit = platforms.find((platform) => platform.name === name)?.answerWithinMs ?? 0
    expect({ name, status }).toEqual({ name, status: 503 })
    expect(Number(retryAfter)).toBeGreaterThan(0)
    expect(ms).toBeLessThan(limit)
    expect(ms).toBeGreaterThan(limit - 1_000) // not given up before its time
  }
}, 30_000)

test("keys that others hold in transactions without an end stop nobody else", async () => {
  const guids = Array.from({ length: 6 }, () => randomUUID())
  for (const guid of guids.slice(0, 4)) {
    await hold(
      `insert into event_keys (tenant, platform, source, delivery_id, event_id, body_sha256, received_at)
       values ('default', 'github', 'default', $1, gen_random_uuid(), 'x', now())`,
      [guid],
    )
  }
  const stuck = guids.slice(0, 4).map((guid) => sendGithub(url, { event: "star", body: starBody(), guid }))
  await untilBlocked(database, 1)
  const company = guids.slice(4).map((guid) => sendGithub(url, { event: "star", body: starBody(), guid }))
  expect((await Promise.all(company)).map(({ status }) => status)).toEqual([202, 202])
  await until(
    async () => (await sendGithub(url, { event: "star", body: starBody() })).status,
    (status) => status === 202,
  )
  for (const { status } of await Promise.all(stuck)) expect(status).toBe(503)
}, 30_000)

/** What the ledger tells of Linear's outage, and its receipts. */
async function linearOutage(): Promise<{ requests: number; turned: number }[]> {
  const { rows } = await database.work.query<{ requests: number; turned: number }>(
    `select g.requests, (select sum(requests)::bigint from source_receipts r
        where r.platform = s.platform and r.source = s.name and r.outcome = 'unavailable') as turned
     from source_gaps g join sources s on s.id = g.source_id
     where g.kind = 'outage' and g.state = 'open' and s.platform = 'linear'`,
  )
  return rows
}

test("those who are turned away are counted in the outage of their source, and receipts tell of them", async () => {
  const found = await until(linearOutage, (rows) => rows.length > 0 && rows[0]?.requests === rows[0]?.turned)
  expect(found).toEqual([{ requests: 2, turned: 2 }])
})
