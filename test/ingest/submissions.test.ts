import { randomUUID } from "node:crypto"
import { expect, test } from "vitest"
import { uuidv7 } from "../../src/core/uuid.ts"
import { findEvent } from "../../src/store/events.ts"
import { testDatabase } from "../support/database.ts"
import { githubSecret, sendGithub, starBody } from "./support/github-sender.ts"
import { startIngest } from "./support/start-ingest.ts"

const database = await testDatabase()
const at = new Date("2026-11-21T12:00:00.123Z")
const { url, ingest } = await startIngest({
  database,
  secrets: { github: [githubSecret] },
  maxBodyBytes: 10_000,
  clock: () => at,
})

function submission(guid: string = randomUUID()) {
  return {
    platform: "github",
    tenant: "acme",
    source: "api",
    body: starBody(),
    contentType: "application/json",
    headers: { "x-github-event": "star", "x-github-delivery": guid },
  }
}

test("a submission needs no signature and is stored like a webhook", async () => {
  const given = submission()
  const { eventId, ...rest } = await ingest.submit(given)
  expect(rest).toEqual({ duplicate: false, conflict: false })
  expect(await findEvent(database.work, eventId)).toEqual({
    id: eventId,
    tenant: "acme",
    platform: "github",
    source: "api",
    type: "github.star.created",
    name: "star:created",
    deliveryId: given.headers["x-github-delivery"],
    priority: expect.any(String),
    actor: null,
    entity: null,
    title: null,
    url: null,
    occurredAt: null,
    receivedAt: at,
    correlationId: eventId,
    causationId: null,
    backfilled: false,
    headers: given.headers,
    contentType: "application/json",
    raw: given.body,
  })
})

test("whoever knows an event's id, correlation and cause may give them", async () => {
  const lineage = { id: uuidv7(), correlationId: "deploy-7", causationId: uuidv7() }
  expect(await ingest.submit({ ...submission(), ...lineage })).toMatchObject({ eventId: lineage.id })
  expect(await findEvent(database.work, lineage.id)).toMatchObject({
    id: lineage.id,
    correlationId: lineage.correlationId,
    causationId: lineage.causationId,
  })
})

test("submitted again it is a duplicate, and with another body a conflict that tells the event's id", async () => {
  const given = submission()
  const { eventId } = await ingest.submit(given)
  expect(await ingest.submit(given)).toEqual({ eventId, duplicate: true, conflict: false })
  expect(await ingest.submit({ ...given, body: starBody(',"n":1') })).toEqual({
    eventId,
    duplicate: false,
    conflict: true,
  })
  expect(await ingest.submit({ ...given, id: eventId })).toEqual({
    eventId,
    duplicate: true,
    conflict: false,
  })
  // The submitter's id for a repeat is not taken: the event that is there is the one.
  expect(await ingest.submit({ ...given, id: uuidv7() })).toEqual({
    eventId,
    duplicate: true,
    conflict: false,
  })
})

test("tenants share no keys", async () => {
  const guid = randomUUID()
  expect(await ingest.submit(submission(guid))).toMatchObject({ duplicate: false })
  expect(await ingest.submit({ ...submission(guid), tenant: "umbrella" })).toMatchObject({ duplicate: false })
  expect(await sendGithub(url, { event: "star", body: starBody(), guid })).toMatchObject({
    json: { duplicate: false },
  })
})

test("what cannot be taken is refused as at the routes", async () => {
  await expect(ingest.submit({ ...submission(), platform: "gitlab" })).rejects.toMatchObject({ status: 404 })
  await expect(ingest.submit({ ...submission(), body: Buffer.from("{") })).rejects.toMatchObject({
    status: 400,
  })
  await expect(ingest.submit({ ...submission(), body: Buffer.alloc(10_001) })).rejects.toMatchObject({
    status: 413,
  })
  await expect(ingest.submit({ ...submission(), headers: {} })).rejects.toMatchObject({ status: 400 })
})
