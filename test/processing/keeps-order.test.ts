import { expect, test } from "vitest"
import { createPool, transaction } from "../../src/store/database.ts"
import { insertEvents } from "../../src/store/events.ts"
import { testDatabase } from "../support/database.ts"
import { asOwner, newEvent, startProcessor, startQueue, submit, until, untilLogged } from "./support.ts"

const database = await testDatabase()

/** Reads the log as a consumer does: always what follows the last position seen. */
function follow() {
  const seen: { position: number; event_id: string }[] = []
  const stop = new AbortController()
  const pool = createPool(database.url, { role: "signalbox_worker", max: 1 })
  const run = async (): Promise<void> => {
    for (let last = 0; !stop.signal.aborted || last < (await head()); last = seen.at(-1)?.position ?? 0) {
      const { rows } = await pool.query(
        "select position, event_id from event_log where position > $1 order by position limit 50",
        [last],
      )
      seen.push(...rows)
    }
    await pool.end()
  }
  const head = async (): Promise<number> =>
    (await pool.query("select position from event_log_head")).rows[0].position
  const done = run()
  return async () => {
    stop.abort()
    await done
    return seen
  }
}

test("four processors give positions without a hole, and a reader on their heels misses none", async () => {
  const queue = await startQueue(database)
  for (let index = 0; index < 4; index++) await startProcessor(database)
  const stopFollowing = follow()
  const ids: string[] = []
  for (let batch = 0; batch < 60; batch++) {
    const priority = (["critical", "high", "normal", "low"] as const)[batch % 4] ?? "normal"
    ids.push(
      ...(await submit(
        database,
        queue,
        Array.from({ length: 10 }, () => newEvent({ title: "x" }, { priority })),
      )),
    )
  }
  await untilLogged(database, ids)
  const seen = await stopFollowing()
  expect(seen.map(({ position }) => position)).toEqual(ids.map((_, index) => index + 1))
  expect(new Set(seen.map(({ event_id }) => event_id))).toEqual(new Set(ids))
})

test("nobody reads past an append that is not committed: what would come after it waits", async () => {
  const { queue } = await startProcessor(database)
  const [first, second] = [newEvent({}), newEvent({})]
  const owner = asOwner(database)
  const holder = await database.work.connect()
  let before = 0
  try {
    await transaction(database.work, (db) => insertEvents(db, [first]))
    await holder.query("begin")
    const { rows } = await holder.query("select position from event_log_head")
    before = rows[0].position
    await holder.query("update event_log_head set position = position + 1")
    await holder.query(
      `insert into event_log (position, event_id, tenant, platform, source, type, name, priority, occurred_at,
         correlation_id, appended_at)
       values ($1, $2, 'default', 'custom', 'default', 'a.b.c', 'x', 'normal', now(), 'x', now())`,
      [before + 1, first.id],
    )
    await submit(database, queue, [second])
    await until(async () => {
      const { rows: waiting } = await owner.query(
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like 'with head%'",
      )
      return waiting.length === 1
    })
    const visible = await database.work.query("select from event_log where position > $1", [before])
    expect(visible.rows).toEqual([])
    await holder.query("commit")
  } finally {
    holder.release()
  }
  await untilLogged(database, [second.id])
  const { rows } = await database.work.query(
    "select position, event_id from event_log where position > $1 order by position",
    [before],
  )
  expect(rows).toEqual([
    { position: before + 1, event_id: first.id },
    { position: before + 2, event_id: second.id },
  ])
})

test("an event received early and committed late comes behind those that overtook it, and is missed by none", async () => {
  const { queue } = await startProcessor(database)
  const [early, later] = [newEvent({}), newEvent({})]
  const slow = await database.work.connect()
  try {
    await slow.query("begin")
    await insertEvents(slow, [early])
    await queue.enqueue(slow, [{ priority: "normal", eventIds: [early.id] }])
    await submit(database, queue, [later])
    await untilLogged(database, [later.id])
    await slow.query("commit")
  } finally {
    slow.release()
  }
  expect(early.id < later.id).toBe(true)
  await untilLogged(database, [early.id])
  expect(await untilLogged(database, [early.id, later.id])).toEqual([later.id, early.id])
})

test("events of one batch enter the log in the order they were received in", async () => {
  const { queue } = await startProcessor(database)
  const ids = await submit(
    database,
    queue,
    Array.from({ length: 80 }, () => newEvent({})),
  )
  expect(await untilLogged(database, ids)).toEqual(ids)
})
