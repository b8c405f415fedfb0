import { afterAll, expect, inject, test } from "vitest"
import type { LogTail, TailListener } from "../../src/core/log-tail.ts"
import { renderStreamed } from "../../src/core/render.ts"
import { createPool, transaction } from "../../src/store/database.ts"
import { logHead } from "../../src/store/log-pages.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents, logEventsIn } from "../support/events.ts"
import { streamServer } from "./support/server.ts"

const database = await testDatabase()
let listener: TailListener | undefined
const tail: LogTail = {
  follow: (given) => {
    listener = given
    return () => (listener = undefined)
  },
}
const server = await streamServer(database, { tail })

const admin = createPool(inject("serverUrl"), { max: 1 })
afterAll(() => admin.end())
const name = new URL(database.url).pathname.slice(1)

/** Ends the sessions that read the log, and lets nobody in. */
async function loseReaders(): Promise<void> {
  await admin.query(`alter database ${name} allow_connections false`)
  await admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = $1 and (query like '%event_log_head h%' or query like 'listen %')`,
    [name],
  )
}

test("news that a tail told while the log was away do not hide that it was set back", async () => {
  const { feed } = server.streaming
  const client = await server.open("?after=earliest")
  await logEvents(database.work, [{}, {}])
  await client.count(2)
  const start = await logHead(database.work)
  // The log is lost, and comes back without its last event; somebody else has it sooner than this process, and
  // tells of what follows.
  await transaction(database.work, async (db) => {
    await loseReaders()
    await expect.poll(() => feed.lost).toBe(true)
    await db.query("delete from event_log where position = $1", [start])
    await db.query("update event_log_head set position = position - 1")
    const [, last] = await logEventsIn(db, [{ title: "in its place" }, { title: "after it" }])
    if (last === undefined) throw new Error("nothing was logged")
    const position = start + 1
    const json = Buffer.from(renderStreamed({ ...last, position, references: [] }))
    listener?.take({ kind: "event", position, json })
    await expect.poll(() => feed.position).toBe(position)
  })
  await admin.query(`alter database ${name} allow_connections true`)
  await client.closed
  expect(client.messages.at(-1)).toMatchObject({ type: "end" })
  expect(client.messages.at(-1)?.data).toContain("log_set_back")
  const anew = await server.open(`?after=${start - 1}`)
  await anew.count(2)
  expect(JSON.parse(anew.messages[0]?.data ?? "")).toMatchObject({ title: "in its place" })
  anew.cut()
})
