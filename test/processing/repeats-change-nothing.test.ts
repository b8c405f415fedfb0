import { expect, test } from "vitest"
import { transaction } from "../../src/store/database.ts"
import { insertEvents } from "../../src/store/events.ts"
import { testDatabase } from "../support/database.ts"
import { newEvent, startProcessor, submit, until, untilLogged } from "./support.ts"

const database = await testDatabase()
const tables = [
  "events",
  "event_log",
  "event_log_head",
  "github_events",
  "event_references",
  "event_correlations",
  "event_processing_status",
  "event_performance",
  "event_metrics",
  "dead_letters",
]

/** A digest of every row of every table. */
async function contents(): Promise<Record<string, string>> {
  const digests: Record<string, string> = {}
  for (const table of tables) {
    const { rows } = await database.work.query<{ digest: string }>(
      `select coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as digest from ${table} t`,
    )
    digests[table] = rows[0]?.digest ?? ""
  }
  return digests
}

async function untilIdle(): Promise<void> {
  await until(async () => {
    const { rows } = await database.work.query("select from pgboss.job where state < 'completed'")
    return rows.length === 0
  })
}

test("a batch that comes again changes nothing", async () => {
  const { queue } = await startProcessor(database)
  const ids = await submit(
    database,
    queue,
    Array.from({ length: 30 }, (_, index) =>
      newEvent({ title: `${index}`, mentions: ["test:thing:x", "test:thing:y"] }),
    ),
  )
  await untilLogged(database, ids)
  await untilIdle()
  const before = await contents()
  await transaction(database.work, (db) =>
    queue.enqueue(db, [
      { priority: "normal", eventIds: ids },
      { priority: "high", eventIds: ids.toReversed() },
    ]),
  )
  await untilIdle()
  expect(await contents()).toEqual(before)
})

test("a batch that several workers take up at once is processed by one of them", async () => {
  const { queue } = await startProcessor(database)
  await startProcessor(database)
  const events = Array.from({ length: 30 }, (_, index) =>
    newEvent({ title: `${index}`, mentions: ["test:thing:x"] }),
  )
  const ids = events.map(({ id }) => id)
  const { rows } = await database.work.query("select position from event_log_head")
  await transaction(database.work, async (db) => {
    for (let times = 0; times < 4; times++) {
      for (const priority of ["critical", "high", "normal", "low"] as const) {
        await queue.enqueue(db, [{ priority, eventIds: times % 2 === 0 ? ids : ids.toReversed() }])
      }
    }
    await insertEvents(db, events)
  })
  await untilLogged(database, ids)
  await untilIdle()
  const after = await database.work.query(
    `select (select position from event_log_head) as head, (select count(*) from event_log) as logged,
       (select max(attempts) from event_processing_status) as attempts, (select count(*) from dead_letters) as dead`,
  )
  expect(after.rows).toEqual([
    { head: rows[0].position + 30, logged: rows[0].position + 30, attempts: 1, dead: 0 },
  ])
})

test("a job of events that are gone, or never were, is done at once", async () => {
  const { queue } = await startProcessor(database)
  const never = newEvent({})
  await transaction(database.work, (db) => queue.enqueue(db, [{ priority: "normal", eventIds: [never.id] }]))
  await untilIdle()
  const { rows } = await database.work.query("select from event_log where event_id = $1", [never.id])
  expect(rows).toEqual([])
})
