import { expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { newEvent, startProcessor, startQueue, submit, until, untilLogged } from "./support.ts"

const database = await testDatabase()

async function rowsOf(table: string, columns: string, id: string): Promise<unknown[]> {
  const key = table === "events" ? "id" : "event_id"
  const { rows } = await database.work.query(`select ${columns} from ${table} where ${key} = $1`, [id])
  return rows
}

test("a stored event comes out of processing with all that it says, in every table", async () => {
  const { queue } = await startProcessor(database)
  const event = newEvent({ title: "one", number: 3, mentions: ["test:thing:two"] }, { tenant: "acme" })
  await submit(database, queue, [event])
  await untilLogged(database, [event.id])

  const derived = "type, actor_id, actor_name, actor_bot, entity, title, occurred_at"
  expect(await rowsOf("events", derived, event.id)).toEqual([
    {
      type: "test.thing.happened",
      actor_id: "7",
      actor_name: "seven",
      actor_bot: false,
      entity: "test:thing:one",
      title: "one",
      occurred_at: event.receivedAt,
    },
  ])
  expect(await rowsOf("github_events", "tenant, event_name, number, action", event.id)).toEqual([
    { tenant: "acme", event_name: "test", number: 3, action: null },
  ])
  expect(await rowsOf("event_references", "tenant, ordinal, subject, entity, relation", event.id)).toEqual([
    { tenant: "acme", ordinal: 0, subject: null, entity: "test:thing:two", relation: "mentions" },
  ])
  const link = "tenant, from_entity, to_entity, rule, strength, occurred_at"
  expect(await rowsOf("event_correlations", link, event.id)).toEqual([
    {
      tenant: "acme",
      from_entity: "test:thing:one",
      to_entity: "test:thing:two",
      rule: "test",
      strength: "strong",
      occurred_at: event.receivedAt,
    },
  ])
  expect(await rowsOf("event_log", "position, tenant, type, entity, actor_id", event.id)).toEqual([
    { position: 1, tenant: "acme", type: "test.thing.happened", entity: "test:thing:one", actor_id: "7" },
  ])
  expect(await rowsOf("event_processing_status", "status, attempts, last_error", event.id)).toEqual([
    { status: "processed", attempts: 1, last_error: null },
  ])
  const timed = "queue_ms >= 0 and processing_ms >= 0 and total_ms = queue_ms + processing_ms as timed"
  expect(await rowsOf("event_performance", timed, event.id)).toEqual([{ timed: true }])
  const counts = await database.work.query(
    "select tenant, platform, type, processed, failed from event_metrics",
  )
  expect(counts.rows).toEqual([
    { tenant: "acme", platform: "custom", type: "test.thing.happened", processed: 1, failed: 0 },
  ])
  const jobs = await database.work.query("select state from pgboss.job")
  expect(jobs.rows).toEqual([{ state: "completed" }])
})

test("events of every priority are processed, and a flood of urgent ones starves none", async () => {
  const queue = await startQueue(database)
  // More than all workers of the one queue can take up at once.
  const urgent = Array.from({ length: 2_000 }, () => newEvent({}, { priority: "critical" }))
  const low = newEvent({}, { priority: "low" })
  for (let from = 0; from < urgent.length; from += 20) {
    await submit(database, queue, urgent.slice(from, from + 20))
  }
  await submit(database, queue, [low])
  await startProcessor(database, { queue })
  const all = [...urgent, low].map(({ id }) => id)
  const logged = await untilLogged(database, all)
  expect(logged).toHaveLength(urgent.length + 1)
  expect(logged.indexOf(low.id)).toBeLessThan(urgent.length)
})

test("a listener hears the newest position once a batch", async () => {
  const { queue } = await startProcessor(database)
  const heard: number[] = []
  const client = await database.work.connect()
  try {
    client.on("notification", ({ payload }) => heard.push(Number(payload)))
    await client.query("listen signalbox_log")
    const ids = await submit(
      database,
      queue,
      Array.from({ length: 30 }, () => newEvent({})),
    )
    await untilLogged(database, ids)
    const { rows } = await database.work.query("select position from event_log_head")
    await until(async () => heard.length > 0)
    expect(heard).toEqual([rows[0].position])
  } finally {
    await client.query("unlisten *")
    client.release(true)
  }
})

test("a job whose bodies are more than a worker holds at a time is one batch all the same", async () => {
  const { queue } = await startProcessor(database)
  const filler = "x".repeat(3 * 2 ** 20)
  const events = Array.from({ length: 7 }, (_, index) => newEvent({ number: index, filler }))
  const ids = await submit(database, queue, events)
  expect(await untilLogged(database, ids)).toEqual(ids)
  const { rows } = await database.work.query(
    "select distinct xmin::text from event_log where event_id = any($1::uuid[])",
    [ids],
  )
  expect(rows).toHaveLength(1)
})
