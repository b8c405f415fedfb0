import { randomUUID } from "node:crypto"
import { expect, test } from "vitest"
import { findEvent, findRaw } from "../../src/store/events.ts"
import { testDatabase } from "../support/database.ts"
import { octokitExamples } from "../support/octokit-examples.ts"
import { githubSecret, sendGithub } from "./support/github-sender.ts"
import { startIngest } from "./support/start-ingest.ts"

const database = await testDatabase()
const { url } = await startIngest({ database, secrets: { github: [githubSecret] } })
const deliveries = octokitExamples().map((example) => ({ ...example, guid: randomUUID() }))

async function sendAll(order: readonly (typeof deliveries)[number][]) {
  const answers = new Map<string, Awaited<ReturnType<typeof sendGithub>>>()
  const queue = [...order]
  const sender = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      answers.set(next.guid, await sendGithub(url, next))
    }
  }
  await Promise.all(Array.from({ length: 16 }, sender))
  return answers
}

async function count(table: string): Promise<number> {
  const { rows } = await database.work.query<{ count: number }>(`select count(*) from ${table}`)
  return rows[0]?.count ?? -1
}

test("every octokit example is taken once, byte for byte, however often and in whatever order it is sent", async () => {
  expect(deliveries).toHaveLength(329)
  const first = await sendAll(deliveries)
  expect(await count("events")).toBe(329)

  for (const { event, payload, body, guid } of deliveries) {
    const answer = first.get(guid)
    expect(answer).toMatchObject({ status: 202, json: { duplicate: false } })
    const eventId = String(answer?.json["eventId"])
    const stored = await findEvent(database.work, eventId)
    const action = typeof payload["action"] === "string" ? payload["action"] : undefined
    expect(stored).toMatchObject({
      id: eventId,
      tenant: "default",
      platform: "github",
      source: "default",
      deliveryId: guid,
      correlationId: eventId,
      headers: { "x-github-event": event, "x-github-delivery": guid },
    })
    expect(stored?.headers).not.toHaveProperty("x-hub-signature-256")
    expect(stored?.raw.equals(body)).toBe(true)
    expect((await findRaw(database.work, eventId))?.raw.equals(body)).toBe(true)
    const verb = action?.replaceAll("-", "_") ?? "[a-z_]+"
    expect(stored?.type).toMatch(new RegExp(`^github\\.${event}\\.${verb}$`))
  }

  const jobsBefore = await queuedIds()
  expect(jobsBefore).toHaveLength(329)
  for (const order of [deliveries.toReversed(), deliveries.toSorted((a, b) => (a.guid < b.guid ? -1 : 1))]) {
    for (const [guid, { status, json }] of await sendAll(order)) {
      expect({ status, json }).toEqual({
        status: 202,
        json: { eventId: first.get(guid)?.json["eventId"], duplicate: true },
      })
    }
  }
  expect(await count("events")).toBe(329)
  expect(await count("event_keys")).toBe(329)
  expect(await count("event_conflicts")).toBe(0)
  expect(await queuedIds()).toEqual(jobsBefore)
})

test("what is queued is exactly what was stored", async () => {
  const { rows } = await database.work.query<{ id: string }>("select id from events")
  expect(new Set(await queuedIds())).toEqual(new Set(rows.map(({ id }) => id)))
})

async function queuedIds(): Promise<string[]> {
  const { rows } = await database.work.query<{ id: string }>(
    "select jsonb_array_elements_text(data -> 'eventIds') as id from pgboss.job order by 1",
  )
  return rows.map(({ id }) => id)
}
