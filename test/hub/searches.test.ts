import { afterAll, expect, test } from "vitest"
import { createPool } from "../../src/store/database.ts"
import { logEvents } from "../support/events.ts"
import { startTestHub, until } from "../support/hub.ts"

const { request, json, database } = await startTestHub()
const admin = createPool(database.url, { max: 2 })
afterAll(() => admin.end())

/** The log, which nobody can read until it is let go: as good as one of which nothing is found for long. */
async function holdLog() {
  const holder = await admin.connect()
  await holder.query("begin; lock table event_log in access exclusive mode")
  return async () => {
    await holder.query("rollback")
    holder.release()
  }
}

const readersWaiting = async () => {
  const { rows } = await admin.query<{ waiting: number }>(
    `select count(*) as waiting from pg_stat_activity
     where datname = current_database() and application_name = 'signalbox reader' and wait_event_type = 'Lock'`,
  )
  return rows[0]?.waiting ?? 0
}

test("searches of history that find nothing for long leave connections to all else", async () => {
  await logEvents(database.work, [{}])
  const letGo = await holdLog()
  const asked = ["actors=nobody", "types=a.b", "since=2026-01-01T00:00:00Z", "until=2030-01-01T00:00:00Z"]
    .concat(["entities=x:y", "sources=none", "actors=nobody&order=oldest"])
    .map((search) => request(`/api/v1/events?${search}`))
  await until(readersWaiting, (waiting) => waiting > 1)
  const others = await Promise.all(Array.from({ length: 4 }, () => json("/api/v1/streams")))
  expect(others.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  expect(await readersWaiting()).toBe(2)
  await letGo()
  const answers = await Promise.all(asked)
  expect(answers.map(({ status }) => status)).toEqual(asked.map(() => 200))
})
