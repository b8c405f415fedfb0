import { beforeEach, expect, test } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { createHeartbeat } from "../../src/ingest/heartbeat.ts"
import { transaction } from "../../src/store/database.ts"
import { noteOutages, type Outage } from "../../src/store/outages.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/hub.ts"
import { startProxy } from "./support/database-proxy.ts"

const database = await testDatabase()
const proxy = await startProxy(database.url)
const noon = Date.UTC(2026, 10, 21, 12)
const at = (seconds: number): Date => new Date(noon + seconds * 1_000)
let now = at(0)

beforeEach(async () => {
  await database.work.query("delete from source_gaps")
  await database.work.query("delete from ingest_heartbeat")
  await database.work.query(
    `insert into sources (platform, name, created_at)
     select platform, 'default', $1 from unnest('{github,slack,linear}'::text[]) platform
     on conflict (platform, name) do update set created_at = excluded.created_at`,
    [at(0)],
  )
  now = at(0)
})

/** A process that takes webhooks; Linear is off in it. */
function startProcess(intervalMs = 60_000) {
  const sources = [
    { platform: "github", name: "default" },
    { platform: "slack", name: "default" },
    { platform: "linear", name: "default", off: "linear is off" },
  ]
  const options = { databaseUrl: proxy.url, clock: () => now, log: silentLog, intervalMs, lateMs: 10_000 }
  return createHeartbeat({ ...options, sources: () => sources })
}

interface Gap {
  source: string
  reason: string
  from: number
  to: number
  requests: number
  state: string
}

const seconds = (time: Date): number => (time.getTime() - noon) / 1_000

/** Outages, in seconds after noon. */
async function outages(): Promise<Gap[]> {
  const { rows } = await database.work.query<{ started_at: Date; ended_at: Date } & Omit<Gap, "from" | "to">>(
    `select s.platform as source, g.reason, g.started_at, g.ended_at, g.requests, g.state
     from source_gaps g join sources s on s.id = g.source_id where g.kind = 'outage'
     order by s.platform, g.started_at`,
  )
  return rows.map(({ started_at, ended_at, ...gap }) => ({
    ...gap,
    from: seconds(started_at),
    to: seconds(ended_at),
  }))
}

const open = (source: string, reason: string, from: number, to: number, requests = 0): Gap => ({
  source,
  reason,
  from,
  to,
  requests,
  state: "open",
})

test("the first start ever knows of no outage, and beats that follow each other are none", async () => {
  await using one = startProcess(5)
  await one.start()
  for (let second = 1; second < 5; second++) {
    now = at(second * 8)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  expect(await outages()).toEqual([])
})

test("the time between a stop and the next start is an outage of every source that is on, whoever finds it", async () => {
  const before = startProcess()
  await before.start()
  now = at(5)
  await before.stop()
  now = at(400)
  const processes = Array.from({ length: 4 }, () => startProcess())
  await Promise.all(processes.map((process) => process.start()))
  expect(await outages()).toEqual([open("github", "hub_down", 5, 400), open("slack", "hub_down", 5, 400)])
  await Promise.all(processes.map((process) => process.stop()))
})

test("a source that was made since is told of no outage from before it, unless requests were turned away", async () => {
  await database.work.query("update sources set created_at = $1 where platform = 'slack'", [at(399)])
  const before = startProcess()
  await before.start()
  await before.stop()
  now = at(400)
  await using after = startProcess()
  await after.start()
  expect(await outages()).toEqual([open("github", "hub_down", 0, 400)])
  await note({ platform: "slack", from: at(398), to: at(401), requests: 1 })
  expect(await outages()).toContainEqual(open("slack", "database_away", 398, 401, 1))
})

test("a restart while another process beats is no outage", async () => {
  await using one = startProcess(5)
  await one.start()
  now = at(300)
  await until(
    async () =>
      (await database.work.query("select from ingest_heartbeat where beat_at = $1", [at(300)])).rowCount,
    (count) => count === 1,
  )
  await database.work.query("delete from source_gaps")
  await using two = startProcess()
  await two.start()
  expect(await outages()).toEqual([])
})

test("to a process that was there and could not write, the database was away", async () => {
  await using one = startProcess(5)
  await one.start()
  proxy.cut()
  now = at(20)
  await new Promise((resolve) => setTimeout(resolve, 100))
  now = at(30)
  proxy.mend()
  const found = await until(outages, (gaps) => gaps.length > 0)
  expect(found).toEqual([open("github", "database_away", 0, 30), open("slack", "database_away", 0, 30)])
})

const note = (outage: Partial<Outage> & Pick<Outage, "from" | "to">) =>
  transaction(database.work, (db) =>
    noteOutages(db, [
      { platform: "github", source: "default", reason: "database_away", requests: 0, ...outage },
    ]),
  )

test("requests turned away are counted in the outage that they are part of, found before or after", async () => {
  await note({ from: at(12), to: at(19), requests: 5 })
  await note({ from: at(10), to: at(30) })
  await note({ from: at(18), to: at(29), requests: 7 })
  await note({ from: at(35), to: at(36), requests: 1 })
  await note({ from: at(60), to: at(61), requests: 2 })
  expect(await outages()).toEqual([
    open("github", "database_away", 10, 36, 13),
    open("github", "database_away", 60, 61, 2),
  ])
})

test("what was repaired stays so: a late count goes into it, and what goes on after it is another outage", async () => {
  await note({ from: at(10), to: at(30) })
  await database.work.query("update source_gaps set state = 'repaired'")
  await note({ from: at(15), to: at(20), requests: 3 })
  await note({ from: at(25), to: at(40), requests: 4 })
  expect(await outages()).toEqual([
    { ...open("github", "database_away", 10, 30, 3), state: "repaired" },
    open("github", "database_away", 25, 40, 4),
  ])
})

test("many that note one outage at the same time leave one row", async () => {
  await Promise.all(
    Array.from({ length: 8 }, (_, index) => note({ from: at(10 + index), to: at(30 + index), requests: 1 })),
  )
  expect(await outages()).toEqual([open("github", "database_away", 10, 37, 8)])
})
