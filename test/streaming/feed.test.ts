import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, expect, inject, test } from "vitest"
import { createPool, transaction } from "../../src/store/database.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents, logEventsIn } from "../support/events.ts"
import type { TestClient } from "./support/client.ts"
import { streamServer } from "./support/server.ts"

const database = await testDatabase()
const server = await streamServer(database)
const admin = createPool(inject("serverUrl"), { max: 1 })
afterAll(() => admin.end())
const databaseName = new URL(database.url).pathname.slice(1)

const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + 1 + index)

async function head(): Promise<number> {
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  return rows[0]?.position ?? 0
}

async function openedAt(position: number): Promise<TestClient> {
  const client = await server.open("", { "last-event-id": String(position) })
  await client.until(() => client.parser.lastEventId !== "")
  return client
}

async function endSessions(condition = "true"): Promise<number> {
  const { rowCount } = await admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = $1 and pid <> pg_backend_pid() and ${condition}`,
    [databaseName],
  )
  return rowCount ?? 0
}

const readers = "query like '%event_log_head h%' or query like 'listen %'"

/** One more place in the log, of which nobody is told. */
async function logQuietly(): Promise<void> {
  const id = uuidv7()
  await database.work.query(
    `with head as (update event_log_head set position = position + 1 returning position),
     event as (insert into events (id, tenant, platform, source, type, name, delivery_id, priority, received_at,
         correlation_id, headers, content_type, raw)
       values ($1::uuid, 'default', 'custom', 'test', 'test.quiet.thing', 'quiet', $2, 'normal', now(), $2,
         '{}', 'application/json', '{}'))
     insert into event_log (position, event_id, tenant, platform, source, type, name, priority, occurred_at,
       correlation_id, appended_at)
     select position, $1::uuid, 'default', 'custom', 'test', 'test.quiet.thing', 'quiet', 'normal', now(), $2, now()
     from head`,
    [id, id],
  )
}

test("any number of clients costs one reading connection", async () => {
  const clients = await Promise.all(range(0, 20).map(() => openedAt(0)))
  await logEvents(database.work, [{}, {}])
  for (const client of clients) await client.count(2)
  const { rows } = await admin.query<{ count: number }>(
    `select count(*) from pg_stat_activity where datname = $1 and (${readers})`,
    [databaseName],
  )
  expect(rows).toEqual([{ count: 1 }])
  for (const client of clients) client.cut()
})

test("what is told takes half of the time at most, however much there is to tell", async () => {
  const { feed } = server.streaming
  const told: { at: number; tookMs: number; upTo: number }[] = []
  const unsubscribe = feed.subscribe({
    advance: () => {
      const at = performance.now()
      while (performance.now() < at + 40);
      told.push({ at, tookMs: performance.now() - at, upTo: feed.position })
    },
    setBack: () => expect.unreachable("nothing was set back"),
  })
  for (let n = 0; n < 60; n++) {
    await logEvents(database.work, [{}])
    await sleep(5)
  }
  const end = await head()
  await expect.poll(() => told.at(-1)?.upTo, { timeout: 20_000 }).toBe(end)
  unsubscribe()
  const gaps = told.slice(1).map(({ at }, index) => at - (told[index]?.at ?? 0))
  expect(gaps.length).toBeGreaterThan(3)
  expect(Math.min(...gaps)).toBeGreaterThan(75) // timers know whole milliseconds
})

test("the loss of its connection, again and again, makes the feed lose and repeat nothing", async () => {
  const start = await head()
  const client = await openedAt(start)
  for (let round = 0; round < 6; round++) {
    await logEvents(database.work, [{}, {}, {}])
    await sleep(Math.random() * 20)
    while ((await endSessions(`(${readers})`)) === 0) await sleep(5)
    await logEvents(database.work, [{}])
  }
  await client.count(24)
  expect(client.positions()).toEqual(range(start, 24))
  client.cut()
})

test("a restart of the database is survived by feed and clients", async () => {
  const start = await head()
  const client = await openedAt(start)
  await logEvents(database.work, [{}])
  await client.count(1)
  await admin.query(`alter database ${databaseName} allow_connections false`)
  await endSessions()
  await expect.poll(() => server.streaming.connections.feedState(), { timeout: 20_000 }).toBe("away")
  await sleep(400)
  await admin.query(`alter database ${databaseName} allow_connections true`)
  await logEvents(database.work, [{}, {}])
  await client.count(3)
  expect(server.streaming.connections.feedState()).toBe("following")
  expect(client.positions()).toEqual(range(start, 3))
  client.cut()
})

test("events of which no notification tells come all the same", async () => {
  const start = await head()
  const client = await openedAt(start)
  for (let n = 0; n < 5; n++) {
    await logQuietly()
    await client.count(n + 1)
  }
  expect(client.positions()).toEqual(range(start, 5))
  client.cut()
})

test("what others notify on its channels harms nothing", async () => {
  const start = await head()
  const client = await openedAt(start)
  for (const channel of ["signalbox_streams", "signalbox_log", "signalbox_stream_changes"]) {
    for (const text of ["", "{", "null", '{"id":1}']) {
      await database.work.query("select pg_notify($1, $2)", [channel, text])
    }
  }
  await logEvents(database.work, [{}])
  await client.count(1)
  const { answers } = await server.streaming.askAll({ kind: "stats", tenant: null })
  expect(answers).toHaveLength(1)
  client.cut()
})

test("the feed rests while nobody listens, and a client that comes later misses nothing", async () => {
  await expect.poll(() => server.streaming.feed.following, { timeout: 5_000 }).toBe(false)
  const start = await head()
  await logEvents(
    database.work,
    range(0, 400).map(() => ({})),
  )
  const [resumed, fresh] = await Promise.all([openedAt(start), server.open()])
  await resumed.count(400)
  await logEvents(database.work, [{}])
  await resumed.count(401)
  await fresh.count(1)
  expect(resumed.positions()).toEqual(range(start, 401))
  expect(fresh.positions()).toEqual([start + 401])
  resumed.cut()
  fresh.cut()
})

test("a log that was set back ends the streams, refuses their cursors, and starts others anew", async () => {
  const start = await head()
  const client = await openedAt(start)
  await logEvents(database.work, [{}, {}])
  await client.count(2)
  // What a restore of an older dump leaves: fewer events, and a head that is behind.
  await database.work.query("delete from event_log where position > $1", [start + 1])
  await database.work.query("update event_log_head set position = $1", [start + 1])
  await client.closed
  expect(client.response.complete).toBe(true)
  const refused = await fetch(`${server.url}/api/v1/events/stream?after=${start + 2}`)
  expect(refused.status).toBe(409)
  const anew = await openedAt(start)
  await logEvents(database.work, [{ title: "new" }])
  await anew.count(2)
  expect(anew.positions()).toEqual([start + 1, start + 2])
  expect(JSON.parse(anew.messages[1]?.data ?? "")).toMatchObject({ title: "new" })
  anew.cut()
})

test("a log that was set back and has grown past it again, while the feed was away, ends the streams", async () => {
  const start = await head()
  const client = await openedAt(start)
  await logEvents(database.work, [{}, {}])
  await client.count(2)
  // What a standby leaves that takes over before it has had the last event, and goes on. The feed is kept from
  // reading until it does.
  await transaction(database.work, async (db) => {
    await db.query("lock table event_log_head in access exclusive mode")
    await endSessions(`(${readers})`)
    await db.query("delete from event_log where position > $1", [start + 1])
    await db.query("update event_log_head set position = $1", [start + 1])
    await logEventsIn(db, [{ title: "another" }, {}])
  })
  await client.closed
  expect(client.messages.at(-1)).toMatchObject({ type: "end" })
  expect(client.messages.at(-1)?.data).toContain("log_set_back")
  const anew = await openedAt(start + 1)
  await anew.count(2)
  expect(JSON.parse(anew.messages[0]?.data ?? "")).toMatchObject({ title: "another" })
  anew.cut()
})

test("start and stop may be called twice, and start again after stop", async () => {
  const again = await streamServer(database)
  const { streaming } = again
  streaming.start()
  await Promise.all([streaming.feed.stop(), streaming.feed.stop()])
  expect(streaming.feed.stopped).toBe(true)
  streaming.start()
  const client = await again.open("?after=earliest")
  await client.count(3)
  await again.stop()
  await again.stop()
})
