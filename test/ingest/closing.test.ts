import { randomUUID } from "node:crypto"
import { expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { githubHeaders, githubSecret, jsonOf, sendGithub, starBody } from "./support/github-sender.ts"
import { untilBlocked } from "./support/locks.ts"
import { postHead, readAnswer, sendBytes } from "./support/raw-request.ts"
import { startIngest } from "./support/start-ingest.ts"

const database = await testDatabase()
const secrets = { github: [githubSecret] }
const ending = await startIngest({ database, secrets })
const large = starBody(`,"note":"${"x".repeat(60_000)}"`)
const tight = await startIngest({ database, secrets, maxWaitingBytes: large.length + 1_000 })

const newDelivery = () => ({ event: "star", body: starBody(), guid: randomUUID() })

function newSubmission() {
  const body = starBody()
  const headers = { "x-github-event": "star", "x-github-delivery": randomUUID() }
  return {
    platform: "github",
    tenant: "default",
    source: "default",
    body,
    contentType: "application/json",
    headers,
  }
}

async function countEvents(): Promise<number> {
  const { rows } = await database.work.query<{ count: number }>("select count(*) from events")
  return rows[0]?.count ?? -1
}

test("closing turns new deliveries away, stores those that wait, and only then ends", async () => {
  const { url, ingest } = ending
  const blocker = await database.work.connect()
  await blocker.query("begin; lock table event_keys in access exclusive mode")
  const taken = Promise.all(Array.from({ length: 130 }, () => ingest.submit(newSubmission())))
  await untilBlocked(database, 2) // both batches are under way, the rest waits behind them

  const closed = ingest.close().then(() => "closed")
  const late = await sendGithub(url, newDelivery())
  expect(late).toMatchObject({ status: 503, json: { code: "unavailable" } })
  expect(late.headers.get("connection")).toBe("close")
  expect(Number(late.headers.get("retry-after"))).toBeGreaterThan(0)
  await expect(ingest.submit(newSubmission())).rejects.toMatchObject({ status: 503 })
  expect(await Promise.race([closed, Promise.resolve("not yet")])).toBe("not yet")

  await blocker.query("commit")
  blocker.release()
  expect(new Set((await taken).map(({ eventId }) => eventId)).size).toBe(130)
  expect(await closed).toBe("closed")
  await ingest.close() // again: the same end, no error
  expect(await countEvents()).toBe(130)
})

test("memory for bodies is bounded: past the bound 503, and taken again when there is room", async () => {
  const { url, port } = tight
  const body = large
  const before = await countEvents()
  const delivery = { event: "star", body, guid: randomUUID() }
  const slow = await sendBytes(
    port,
    postHead("/webhooks/github", { ...githubHeaders(delivery), "content-length": String(body.length) }),
    body.subarray(0, -1),
  )
  // Its bytes arrive when they arrive; from then on there is no room for another such body.
  let refused: Awaited<ReturnType<typeof sendGithub>>
  do {
    refused = await sendGithub(url, { event: "star", body, guid: randomUUID() })
  } while (refused.status === 202)
  expect(refused).toMatchObject({ status: 503, json: { code: "unavailable" } })
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0)

  expect(await sendGithub(url, newDelivery())).toMatchObject({ status: 202 }) // small ones still fit
  slow.write(body.subarray(-1))
  expect((await readAnswer(slow)).status).toBe(202)
  slow.destroy()
  expect(await sendGithub(url, { event: "star", body, guid: randomUUID() })).toMatchObject({ status: 202 })
  expect(await countEvents()).toBeGreaterThanOrEqual(before + 3)
})

test("bytes of refused and abandoned requests are given back", async () => {
  const { url, port } = tight
  const body = large
  const headers = { ...githubHeaders({ event: "star", body }), "content-length": String(body.length) }
  for (let round = 0; round < 5; round++) {
    const abandoned = await sendBytes(port, postHead("/webhooks/github", headers), body.subarray(0, 30_000))
    abandoned.resetAndDestroy()
    const forged = await fetch(`${url}/webhooks/github`, {
      method: "POST",
      headers: githubHeaders({ event: "star", body: starBody() }), // of another body
      body: new Uint8Array(body),
    })
    expect([401, 503]).toContain(forged.status) // 503 while the abandoned one is not noticed yet
    expect(await jsonOf(forged)).toHaveProperty("code")
  }
  let answer: Awaited<ReturnType<typeof sendGithub>>
  do {
    answer = await sendGithub(url, { event: "star", body })
  } while (answer.status === 503)
  expect(answer).toMatchObject({ status: 202 })
})
