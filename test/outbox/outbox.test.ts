import { setTimeout as sleep } from "node:timers/promises"
import { expect, onTestFinished, test } from "vitest"
import { SignalboxError } from "../../src/core/errors.ts"
import { silentLog } from "../../src/core/log.ts"
import { publish, publishBatch } from "../../src/outbox/publish.ts"
import { createRelay, type Relay, type SubmitPublished } from "../../src/outbox/relay.ts"
import { retryPublished } from "../../src/outbox/retry-dead-letter.ts"
import { createPool, transaction } from "../../src/store/database.ts"
import { finishOutbox, takeOutbox } from "../../src/store/outbox.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../processing/support.ts"

const database = await testDatabase()

type Submission = Parameters<SubmitPublished>[0]

/** A relay whose submissions are kept; `refuse` throws for those that are not taken in. */
async function startRelay(refuse: (submission: Submission) => void = () => {}) {
  const taken: { key: string; body: unknown; tenant: string }[] = []
  const relay: Relay = createRelay({
    database,
    log: silentLog,
    submit: async (submission) => {
      refuse(submission)
      const { headers, body, tenant } = submission
      taken.push({ key: headers["idempotency-key"] ?? "", body: JSON.parse(body.toString()), tenant })
      return { conflict: false }
    },
  })
  onTestFinished(() => relay.stop())
  await relay.start()
  return { relay, taken }
}

async function entry(key: string) {
  const { rows } = await database.work.query(
    "select processed_at is not null as done, attempts, last_error from outbox where event_id = $1",
    [key],
  )
  return rows[0]
}

test("an event is published if and only if the caller's transaction commits", async () => {
  const { taken } = await startRelay()
  let gone = ""
  const refused = transaction(database.work, async (db) => {
    gone = await publish(db, { type: "billing.invoice.paid" })
    throw new Error("no")
  })
  await expect(refused).rejects.toThrow("no")
  const event = {
    type: "billing.invoice.paid",
    entity: "billing:invoice:42",
    payload: { "text\0": "a\0\ud800" },
  }
  const key = await transaction(database.work, (db) => publish(db, event, { tenant: "acme" }))
  await until(async () => (await entry(key)).done)
  expect(taken).toEqual([
    { key, tenant: "acme", body: { ...event, payload: { "text\uFFFD": "a\uFFFD\uFFFD" } } },
  ])
  expect(taken.some((one) => one.key === gone)).toBe(false)
  const { rows } = await database.work.query(
    "select entity_type, entity_id from outbox where event_id = $1",
    [key],
  )
  expect(rows).toEqual([{ entity_type: "billing:invoice", entity_id: "42" }])
})

test("events are handed over in the order they were published in, each under its own key once", async () => {
  const keys: string[] = []
  for (let index = 0; index < 250; index++) {
    keys.push(await publish(database.work, { type: "test.thing.happened", payload: { index } }))
  }
  const { taken } = await startRelay()
  await until(async () => taken.length >= 250)
  await until(async () => (await entry(keys.at(-1) ?? "")).done)
  expect(taken.map(({ key }) => key)).toEqual(keys)
})

test("an event whose relay dies between taking it in and marking it is handed over again under the same key", async () => {
  const owner = createPool(database.url, { max: 1 })
  onTestFinished(() => owner.end())
  let isFirst = true
  const first = Promise.withResolvers<void>()
  const keys: string[] = []
  const relay = createRelay({
    database,
    log: silentLog,
    submit: async ({ headers }) => {
      keys.push(headers["idempotency-key"] ?? "")
      if (!isFirst) return { conflict: false }
      isFirst = false
      await owner.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and state = 'idle in transaction'`,
      )
      first.resolve()
      return { conflict: false }
    },
  })
  onTestFinished(() => relay.stop())
  await relay.start()
  const key = await publish(database.work, { type: "test.thing.happened" })
  await first.promise
  await until(async () => (await entry(key)).done)
  expect(keys).toEqual([key, key])
})

test("an event that is refused becomes a dead letter and holds up nobody; retried, it is handed over", async () => {
  let isMended = false
  const { taken } = await startRelay(({ body }) => {
    if (!isMended && body.includes("nonsense")) throw new SignalboxError("bad_request", "type: not like that")
  })
  const bad = await publish(database.work, { type: "nonsense" })
  const good = await publish(database.work, { type: "test.thing.happened" })
  await until(async () => (await entry(good)).done && (await entry(bad)).done)
  expect(taken.map(({ key }) => key)).toEqual([good])
  const { rows } = await database.work.query(
    "select id, kind, error_code, error from dead_letters where event_id = $1",
    [bad],
  )
  expect(rows).toMatchObject([{ kind: "outbox", error_code: "bad_request", error: "type: not like that" }])

  isMended = true
  expect(await transaction(database.work, (db) => retryPublished(db, rows[0].id))).toBe(true)
  await until(async () => taken.some(({ key }) => key === bad))
})

test("an event that finds no way in for now is tried until it does, and no attempt is counted", async () => {
  let failures = 0
  const { taken } = await startRelay(() => {
    if (failures++ < 2) throw new SignalboxError("unavailable", "the database is away")
  })
  const key = await publish(database.work, { type: "test.thing.happened" })
  await until(async () => taken.length === 1)
  await until(async () => (await entry(key)).done)
  expect(await entry(key)).toEqual({ done: true, attempts: 1, last_error: null })
})

test("an event whose key another body has is not handed over but becomes a dead letter", async () => {
  const relay = createRelay({
    database,
    log: silentLog,
    submit: () => Promise.resolve({ conflict: true }),
  })
  onTestFinished(() => relay.stop())
  await relay.start()
  const key = await publish(database.work, { type: "test.thing.happened" })
  await until(async () => (await entry(key)).done)
  const { rows } = await database.work.query(
    "select error_code, error from dead_letters where event_id = $1",
    [key],
  )
  expect(rows).toEqual([
    {
      error_code: "conflict",
      error: `an event with the key ${key} and another body was taken in before; this one was not`,
    },
  ])
})

function take(maxBytes: number): Promise<string[]> {
  return transaction(database.work, async (db) => {
    const entries = await takeOutbox(db, 100, maxBytes)
    await finishOutbox(
      db,
      entries.map(({ id }) => id),
    )
    return entries.map(({ eventId }) => eventId)
  })
}

test("large events are taken a few at a time, and one larger than the limit alone", async () => {
  const keys: string[] = []
  for (const size of [900, 10, 10, 900]) {
    keys.push(await publish(database.work, { type: "test.thing.happened", payload: "x".repeat(size) }))
  }
  expect(await take(500)).toEqual(keys.slice(0, 1))
  expect(await take(500)).toEqual(keys.slice(1))
  expect(await take(500)).toEqual([])
})

test("of several relays, one slower than the other, events go in the order they were published in, each once", async () => {
  const taken: string[] = []
  for (const ms of [100, 0]) {
    const relay = createRelay({
      database,
      log: silentLog,
      submit: async ({ headers }) => {
        await sleep(ms)
        taken.push(headers["idempotency-key"] ?? "")
        return { conflict: false }
      },
    })
    onTestFinished(() => relay.stop())
    await relay.start()
  }
  const events = Array.from({ length: 1_000 }, () => ({ type: "test.thing.happened" }))
  const keys = await publishBatch(database.work, events)
  await until(() => Promise.resolve(taken.length >= keys.length))
  expect(taken).toEqual(keys)
})

test("what was handed over more than a day ago is removed, however much it is; what was given up stays", async () => {
  await database.work.query("delete from outbox")
  const insert = `insert into outbox (event_id, tenant, event_type, payload, claimed_at, processed_at, attempts, last_error)
    select gen_random_uuid(), 'default', 'test.thing.happened', '{}', now() - $2::interval, now() - $2::interval, 1, $3
    from generate_series(1, $1)`
  await database.work.query(insert, [3_500, "25 hours", null])
  await database.work.query(insert, [3, "25 hours", "given up"])
  await database.work.query(insert, [5, "23 hours", null])
  const count = async () => {
    const { rows } = await database.work.query("select count(*)::int as count from outbox")
    return rows[0].count
  }
  await startRelay()
  await until(async () => (await count()) <= 8)
  expect(await count()).toBe(8)
})
