import { expect, test } from "vitest"
import { retryDeadLetter } from "../../src/processing/retry-dead-letter.ts"
import { transaction } from "../../src/store/database.ts"
import { listDeadLetters } from "../../src/store/dead-letters.ts"
import { testDatabase } from "../support/database.ts"
import { obedient } from "./obedient.ts"
import { newEvent, startProcessor, submit, until, untilLogged } from "./support.ts"

const database = await testDatabase()
const soon = { retryDelayMs: () => 1 }

async function untilDead(id: string): Promise<void> {
  await until(async () => (await statusOf(id))?.status === "dead")
}

async function statusOf(id: string) {
  const { rows } = await database.work.query<{ status: string; attempts: number; last_error: string | null }>(
    "select status, attempts, last_error from event_processing_status where event_id = $1",
    [id],
  )
  return rows[0]
}

test("an event whose normalizing throws becomes a dead letter after five attempts; its batch goes on", async () => {
  const { queue } = await startProcessor(database, soon)
  const poison = newEvent({ throw: "no such shape" })
  const [before, after] = [newEvent({ title: "before" }), newEvent({ title: "after" })]
  await submit(database, queue, [before, poison, after])

  expect(await untilLogged(database, [before.id, after.id])).toEqual([before.id, after.id])
  await untilDead(poison.id)
  expect(await statusOf(poison.id)).toEqual({ status: "dead", attempts: 5, last_error: "no such shape" })
  const letters = await listDeadLetters(database.work, { tenant: "default", limit: 10 })
  expect(letters).toMatchObject([
    {
      kind: "processing",
      eventId: poison.id,
      attempts: 5,
      errorCode: "derive_failed",
      error: "no such shape",
      status: "open",
    },
  ])
  const counts = await database.work.query(
    "select sum(processed) as processed, sum(failed) as failed from event_metrics",
  )
  expect(counts.rows).toEqual([{ processed: "2", failed: "1" }])
})

test("a dead letter that is retried is processed with attempts anew, once its cause is mended", async () => {
  let isMended = false
  const mendable = {
    ...obedient,
    normalize: (message: Parameters<typeof obedient.normalize>[0]) => {
      if (!isMended) throw new Error("not yet")
      return obedient.normalize(message)
    },
  }
  const { queue } = await startProcessor(database, { ...soon, platforms: [mendable] })
  const event = newEvent({}, { tenant: "mended" })
  await submit(database, queue, [event])
  await untilDead(event.id)
  const [letter] = await listDeadLetters(database.work, { tenant: "mended", limit: 1 })

  isMended = true
  const retry = () => transaction(database.work, (db) => retryDeadLetter(db, queue.enqueue, letter?.id ?? ""))
  expect(await retry()).toBe(true)
  await untilLogged(database, [event.id])
  expect(await statusOf(event.id)).toEqual({ status: "processed", attempts: 1, last_error: null })
  expect(await retry()).toBe(false)
})

test("an event whose row the database refuses stands alone as a dead letter, wherever it is in its batch", async () => {
  const { queue } = await startProcessor(database, soon)
  const good = Array.from({ length: 40 }, (_, index) => newEvent({ number: index }))
  const [first, middle, last] = [
    newEvent({ number: 1e300 }),
    newEvent({ number: "x" }),
    newEvent({ number: 1.5e40 }),
  ]
  await submit(database, queue, [first, ...good.slice(0, 20), middle, ...good.slice(20), last])

  const ids = good.map(({ id }) => id)
  expect(await untilLogged(database, ids)).toEqual(ids)
  for (const { id } of [first, middle, last]) {
    await untilDead(id)
    const letter = await database.work.query("select error_code from dead_letters where event_id = $1", [id])
    expect(letter.rows).toEqual([{ error_code: "row_refused" }])
    const detail = await database.work.query("select from github_events where event_id = $1", [id])
    expect(detail.rows).toEqual([])
  }
})

test("text that PostgreSQL refuses is processed with replacement characters", async () => {
  const { queue } = await startProcessor(database, soon)
  const raw = Buffer.from(
    String.raw`{"title": "a\u0000b", "state": "c\ud800d", "mentions": ["e\u0000", "\udc00"]}`,
  )
  const event = newEvent(null, { raw })
  await submit(database, queue, [event, newEvent({})])
  await untilLogged(database, [event.id])
  const read = (table: string, key: string, columns: string) =>
    database.work.query(`select ${columns} from ${table} where ${key} = $1`, [event.id])
  expect((await read("events", "id", "title, entity")).rows).toEqual([
    { title: "a\uFFFDb", entity: "test:thing:a\uFFFDb" },
  ])
  expect((await read("github_events", "event_id", "state")).rows).toEqual([{ state: "c\uFFFDd" }])
  expect((await read("event_references", "event_id", "entity")).rows).toEqual([
    { entity: "e\uFFFD" },
    { entity: "\uFFFD" },
  ])
})

test("a body that is no JSON, and an event of a platform unknown here, become dead letters alone", async () => {
  const { queue } = await startProcessor(database, soon)
  const [broken, foreign, good] = [
    newEvent(null, { raw: Buffer.from("{") }),
    newEvent({}, { platform: "slack" }),
    newEvent({}),
  ]
  await submit(database, queue, [broken, foreign, good])
  await untilLogged(database, [good.id])
  await untilDead(broken.id)
  await untilDead(foreign.id)
  const { rows } = await database.work.query(
    "select error_code from dead_letters where event_id = any($1::uuid[]) order by 1",
    [[broken.id, foreign.id]],
  )
  expect(rows).toEqual([{ error_code: "derive_failed" }, { error_code: "malformed_json" }])
})

test("a body that was stored before its depth was bounded becomes a dead letter, and kills no worker", async () => {
  const { queue } = await startProcessor(database, soon)
  const fields = { tenant: "deep" }
  const deep = { ...newEvent({}, fields), raw: Buffer.from("[".repeat(200_000) + "]".repeat(200_000)) }
  const beside = newEvent({ title: "beside" }, fields)
  await submit(database, queue, [deep, beside])

  expect(await untilLogged(database, [beside.id])).toEqual([beside.id])
  await untilDead(deep.id)
  const letters = await listDeadLetters(database.work, { tenant: "deep", limit: 10 })
  expect(letters).toMatchObject([{ eventId: deep.id, errorCode: "too_deep" }])
  const { rows } = await database.work.query("select payload from recent_events where id = $1", [deep.id])
  expect(rows).toEqual([{ payload: null }])
})
