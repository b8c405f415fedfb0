import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { afterEach, expect, test } from "vitest"
import { createPool } from "../../src/store/database.ts"
import { eventually } from "../consumers/log.ts"
import { testDatabase } from "../support/database.ts"
import { appendMany } from "./bulk-log.ts"
import { replaysOf } from "./machine.ts"

const database = await testDatabase()
const replays = replaysOf(database)
const script = fileURLToPath(new URL("replay-child.ts", import.meta.url))
const children = new Set<ChildProcess>()
const owner = createPool(database.url, { max: 1 })
await owner.query(`create table runs (n bigint generated always as identity, event_id uuid, entity text,
    position bigint, replay_id uuid, process integer);
  grant all on runs to signalbox_worker`)
await owner.end()

afterEach(async () => {
  await Promise.all([...children].map(kill))
})

async function start(consumer: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [script, database.url, consumer], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  children.add(child)
  await once(child.stdout, "data")
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  children.delete(child)
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, "exit")
  child.kill("SIGKILL")
  await exit
}

async function runCount(): Promise<number> {
  const { rows } = await database.work.query<{ runs: number }>("select count(*) as runs from runs")
  return rows[0]?.runs ?? 0
}

test("processes that are killed in the midst of a replay lose none of it", async () => {
  const events = 3_000
  await appendMany(database, events)
  let child = await start("killed")
  const id = await replays.start("killed", { maxOutstanding: 200 })
  const kills = 6
  for (let n = 1; n <= kills; n++) {
    const goal = (events / (kills + 2)) * n
    await eventually(runCount, (count) => count >= goal, 60_000)
    await kill(child)
    // What was done is never more than what the database knows of.
    expect((await replays.shown(id)).status).toBe("running")
    child = await start("killed")
  }
  const replay = await replays.completed(id, 120_000)
  expect(replay).toMatchObject({ matched: events, delivered: events, failed: 0, underWay: 0 })
  const { rows } = await database.work.query<{ distinct: number; all: number; marked: number }>(
    `select count(distinct event_id) as distinct, count(*) as all,
       count(*) filter (where replay_id = $1) as marked from runs`,
    [id],
  )
  const counts = rows[0] ?? { distinct: 0, all: 0, marked: 0 }
  expect(counts.distinct).toBe(events)
  expect(counts.marked).toBe(counts.all)
  // Again came only what was outstanding when its process ended.
  expect(counts.all - counts.distinct).toBeLessThanOrEqual(kills * 200)
  // For the first time, each entity's events came in order.
  const { rows: disorder } = await database.work.query(
    `select entity from (
       select entity, position, lag(position) over (partition by entity order by n) as before
       from (select entity, position, min(n) as n from runs group by 1, 2) first) o
     where before > position`,
  )
  expect(disorder).toEqual([])
}, 240_000)

test("a replay whose maker and walker are gone stands where it was, and goes on with the next process", async () => {
  await database.work.query("delete from runs")
  await database.work.query("delete from stream_subscriptions")
  await kill(await start("gone")) // so that it is known
  const id = await replays.start("gone", { upTo: 100 })
  expect(await replays.shown(id)).toMatchObject({ status: "running", matched: 0 })
  await start("gone")
  expect(await replays.completed(id)).toMatchObject({ matched: 100, delivered: 100 })
  expect(await runCount()).toBe(100)
}, 60_000)
