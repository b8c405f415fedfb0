import { randomUUID } from "node:crypto"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { definePlatform } from "../../src/core/platform.ts"
import type { Receipt } from "../../src/ingest/write-batch.ts"
import { platforms } from "../../src/platforms/index.ts"
import { testDatabase } from "../support/database.ts"
import { startIngest } from "./support/start-ingest.ts"

const database = await testDatabase()

/** Key and state are what the headers say, so that a test may have any of them. */
const telling = platforms
  .filter(({ name }) => name === "custom")
  .map((platform) =>
    definePlatform({
      ...platform,
      keptHeaders: ["key", "state", "record"],
      identify: ({ headers: { key = "", state, record } }) => ({
        key,
        name: "thing",
        type: "custom.thing",
        priority: "normal",
        ...(state === undefined ? {} : { state }),
        ...(record === undefined ? {} : { record }),
      }),
    }),
  )
// Two processes of one hub, as far as the database can tell.
const processes = [
  await startIngest({ database, platforms: telling, secrets: {} }),
  await startIngest({ database, platforms: telling, secrets: {} }),
]

interface Telling {
  key?: string
  state?: string
  record?: string
  body?: string
  backfilled?: boolean
  process?: number
}

function send({
  key = randomUUID(),
  state,
  record,
  body = "{}",
  backfilled,
  process = 0,
}: Telling): Promise<Receipt> {
  const ingest = processes[process]?.ingest
  if (ingest === undefined) throw new Error("there is no such process")
  return ingest.submit({
    platform: "custom",
    tenant: "default",
    source: "hub",
    body: Buffer.from(body),
    contentType: "application/json",
    headers: {
      key,
      ...(state === undefined ? {} : { state }),
      ...(record === undefined ? {} : { record }),
    },
    backfilled,
  })
}

async function eventsOf(state: string): Promise<{ id: string; raw: string; backfilled: boolean }[]> {
  const { rows } = await database.work.query<{ id: string; raw: string; backfilled: boolean }>(
    "select id, convert_from(raw, 'utf8') as raw, backfilled from events where headers ->> 'state' = $1 order by id",
    [state],
  )
  return rows
}

async function keptOf(eventId: string): Promise<string[]> {
  const { rows } = await database.work.query<{ raw: string }>(
    "select convert_from(raw, 'utf8') as raw from event_conflicts where event_id = $1 order by raw",
    [eventId],
  )
  return rows.map(({ raw }) => raw)
}

test("a webhook and its replay under another key are one event, and the replay's key is known from then on", async () => {
  const state = randomUUID()
  const first = await send({ state, body: '{"n":1}' })
  const key = randomUUID()
  expect(await send({ state, key, body: '{"n":1}' })).toEqual({ ...first, duplicate: true })
  expect(await send({ state, key, body: '{"n":1}' })).toEqual({ ...first, duplicate: true })
  expect(await eventsOf(state)).toHaveLength(1)
  const { rows } = await database.work.query("select event_id from event_keys where delivery_id = $1", [key])
  expect(rows).toEqual([{ event_id: first.eventId }])
})

test("a backfilled copy of a webhook that came is a duplicate of it, whatever its body", async () => {
  const state = randomUUID()
  const webhook = await send({ state, body: '{"by":"webhook"}' })
  const copy = { state, body: '{"by":"sweep"}', backfilled: true, key: randomUUID() }
  for (let sweep = 0; sweep < 3; sweep++) {
    expect(await send(copy)).toEqual({ ...webhook, duplicate: true })
  }
  expect(await eventsOf(state)).toEqual([{ id: webhook.eventId, raw: '{"by":"webhook"}', backfilled: false }])
  expect(await keptOf(webhook.eventId)).toEqual([])
})

test("a webhook that comes after its backfilled copy is a duplicate, and its own body is kept", async () => {
  const state = randomUUID()
  const copy = await send({ state, body: '{"by":"sweep"}', backfilled: true })
  const webhook = { state, body: '{"by":"webhook"}', key: randomUUID() }
  expect(await send(webhook)).toEqual({ ...copy, duplicate: true })
  expect(await send(webhook)).toEqual({ ...copy, duplicate: true })
  expect(await eventsOf(state)).toEqual([{ id: copy.eventId, raw: '{"by":"sweep"}', backfilled: true }])
  expect(await keptOf(copy.eventId)).toEqual(['{"by":"webhook"}'])
})

test("a key under which something was backfilled takes the webhook of that key as the same", async () => {
  const key = randomUUID()
  const copy = await send({ key, body: '{"by":"sweep"}', backfilled: true })
  expect(await send({ key, body: '{"by":"webhook"}' })).toEqual({ ...copy, duplicate: true })
  expect(await keptOf(copy.eventId)).toEqual(['{"by":"webhook"}'])
  const other = await send({ body: '{"by":"webhook"}' })
  expect(other.duplicate).toBe(false)
  expect(await send({ key, body: '{"by":"sweep, again"}', backfilled: true })).toEqual({
    ...copy,
    duplicate: true,
  })
})

test("where the key alone tells repeats, one body under two keys is two events", async () => {
  const record = randomUUID()
  const receipts = await Promise.all([1, 2, 3].map(() => send({ record })))
  expect(new Set(receipts.map(({ eventId }) => eventId)).size).toBe(3)
  expect(receipts.some(({ duplicate }) => duplicate)).toBe(false)
})

test("and a webhook that tells of a backfilled record is a duplicate of that, among others that are new", async () => {
  const record = randomUUID()
  const copy = await send({ record, body: '{"by":"sweep"}', backfilled: true })
  expect(await send({ record, body: '{"by":"sweep again"}', backfilled: true })).toEqual({
    ...copy,
    duplicate: true,
  })
  const [webhook, other] = await Promise.all([
    send({ record, body: '{"by":"webhook"}' }),
    send({ record: randomUUID() }),
  ])
  expect(webhook).toEqual({ ...copy, duplicate: true })
  expect(other.duplicate).toBe(false)
  expect(await keptOf(copy.eventId)).toEqual(['{"by":"webhook"}'])
})

test("a backfilled record and its webhook that come in one batch are one event", async () => {
  for (const backfilled of [true, false]) {
    const record = randomUUID()
    const receipts = await Promise.all([
      send({ record, backfilled }),
      send({ record, backfilled: !backfilled }),
    ])
    expect(new Set(receipts.map(({ eventId }) => eventId)).size).toBe(1)
    expect(receipts.filter(({ duplicate }) => !duplicate)).toHaveLength(1)
  }
})

test("two different webhooks about one state are two events, and each knows its own replay", async () => {
  const state = randomUUID()
  const one = await send({ state, body: '{"n":1}' })
  const two = await send({ state, body: '{"n":2}' })
  expect(two.duplicate).toBe(false)
  expect(await send({ state, body: '{"n":2}' })).toEqual({ ...two, duplicate: true })
  expect(await send({ state, body: '{"n":1}' })).toEqual({ ...one, duplicate: true })
  expect((await eventsOf(state)).map(({ raw }) => raw)).toEqual(['{"n":1}', '{"n":2}'])
})

test("the same state at another source or tenant is another", async () => {
  const state = randomUUID()
  const [{ ingest } = processes[0]!] = processes
  const common = { platform: "custom", body: Buffer.from("{}"), contentType: "application/json" }
  const receipts = await Promise.all(
    [
      { tenant: "default", source: "hub" },
      { tenant: "default", source: "api" },
      { tenant: "acme", source: "hub" },
    ].map((where) => ingest.submit({ ...common, ...where, headers: { key: randomUUID(), state } })),
  )
  expect(receipts.map(({ duplicate }) => duplicate)).toEqual([false, false, false])
})

test("any company and order of a webhook, its retry, its replay and its backfill is one event a state", async () => {
  const kinds = ["webhook", "retry", "replay", "backfill"] as const
  const arrival = fc.record({
    kind: fc.constantFrom(...kinds),
    subject: fc.nat(2),
    process: fc.nat(1),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(arrival, { minLength: 1, maxLength: 16 }), { minLength: 1, maxLength: 3 }),
      async (waves) => {
        const states = Array.from({ length: 3 }, () => randomUUID())
        const told = new Map<string, Set<string>>()
        let fresh = 0
        for (const wave of waves) {
          await Promise.all(
            wave.map(async ({ kind, subject, process }) => {
              const state = states[subject] ?? ""
              const key = kind === "replay" ? randomUUID() : kind === "backfill" ? `record-${state}` : state
              const backfilled = kind === "backfill"
              const body = backfilled ? `{"sweep":"${state}"}` : `{"webhook":"${state}"}`
              const receipt = await send({ key, state, body, backfilled, process })
              expect(receipt.conflict).toBe(false)
              if (!receipt.duplicate) fresh++
              told.set(state, (told.get(state) ?? new Set()).add(receipt.eventId))
            }),
          )
        }
        for (const [state, ids] of told) {
          expect((await eventsOf(state)).map(({ id }) => id)).toEqual([...ids])
        }
        expect(fresh).toBe(told.size)
      },
    ),
    { numRuns: 60 },
  )
})
