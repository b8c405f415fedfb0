import { setTimeout as sleep } from "node:timers/promises"
import { afterEach, expect, test } from "vitest"
import type { RunContext } from "../../src/consumers/definition.ts"
import type { LoggedEvent } from "../../src/core/envelope.ts"
import { append, deliveriesOf, eventually } from "../consumers/log.ts"
import { testDatabase } from "../support/database.ts"
import { appendMany } from "./bulk-log.ts"
import { defaults, handlerOf, replaysOf, startMachine } from "./machine.ts"

const database = await testDatabase()
const replays = replaysOf(database)

afterEach(() => database.work.query("delete from stream_subscriptions"))

interface Run {
  position: number
  entity: string | null
  replayId: string | null
  at: number
}

function recorder() {
  const runs: Run[] = []
  const note = ({ position, entity }: LoggedEvent, { replayId }: RunContext) => {
    runs.push({ position, entity, replayId, at: Date.now() })
  }
  return { runs, note }
}

async function outstanding(replayId: string): Promise<number> {
  const { rows } = await database.work.query<{ rows: number }>(
    "select count(*) as rows from event_deliveries where replay_id = $1 and finished_at is null",
    [replayId],
  )
  return rows[0]?.rows ?? 0
}

test("of 100,000 events no more are outstanding at a time than may be, and each comes once and in order", async () => {
  await appendMany(database, 100_000)
  let count = 0
  const last = new Map<string, number>()
  const wrong: string[] = []
  const run = ({ entity, position }: LoggedEvent) => {
    count++
    const before = last.get(entity ?? "") ?? 0
    if (position <= before) wrong.push(`${entity}: ${before}, then ${position}`)
    last.set(entity ?? "", position)
  }
  await startMachine(database, [handlerOf("many", run, { partitions: 4 })])
  const id = await replays.start("many", { maxOutstanding: 800 })
  let most = 0
  const over = new AbortController()
  const watching = (async () => {
    while (!over.signal.aborted) {
      most = Math.max(most, await outstanding(id))
      await sleep(20)
    }
  })()
  const replay = await replays.completed(id, 280_000).finally(() => over.abort())
  await watching
  expect(replay).toMatchObject({
    estimate: 100_000,
    matched: 100_000,
    delivered: 100_000,
    failed: 0,
    underWay: 0,
  })
  expect(count).toBe(100_000)
  expect(wrong).toEqual([])
  expect(most).toBeGreaterThan(0)
  expect(most).toBeLessThanOrEqual(800)
}, 300_000)

test("a cancelled replay begins nothing more, and leaves what it had not run as it was", async () => {
  const { runs, note } = recorder()
  const gate = Promise.withResolvers<void>()
  let held = false
  await startMachine(database, [
    handlerOf("cancelled", async (event, context) => {
      note(event, context)
      if (held) await gate.promise
    }),
  ])
  const ids = await append(database, ...Array.from({ length: 30 }, () => ({})))
  await eventually(
    () => deliveriesOf(database, "cancelled"),
    (rows) => rows.length === 30 && rows.every(({ status }) => status === "delivered"),
  )
  const { rows: before } = await database.work.query(
    "select event_id, status, attempts, finished_at from event_deliveries where event_id = any($1) order by 1",
    [ids],
  )
  held = true
  const after = runs[0] === undefined ? 0 : runs[0].position - 1
  const id = await replays.start("cancelled", { after })
  await eventually(
    () => runs.length,
    (length) => length === 31,
  )
  expect(await replays.cancel("default", id)).toMatchObject({ status: "cancelled" })
  gate.resolve()
  const replay = await replays.until(id, ({ outstanding: left }) => left === 0)
  // What the process had taken up is run or handed back; what it had not stays unrun.
  expect(replay.delivered + replay.withdrawn).toBe(replay.matched)
  await sleep(500)
  expect(runs.length - 30).toBe(replay.delivered)
  const { rows } = await database.work.query(
    "select event_id, status, attempts, finished_at from event_deliveries where event_id = any($1) and replay_id is null order by 1",
    [ids],
  )
  expect(rows).toEqual(before.slice(replay.delivered))
  await expect(replays.cancel("default", id)).rejects.toMatchObject({ code: "conflict" })
  await expect(replays.resume("default", id)).rejects.toMatchObject({ code: "conflict" })
})

test("a cancelled replay to a consumer that had not had the events leaves no trace of them", async () => {
  const first = await append(database, ...Array.from({ length: 5 }, () => ({ type: "unseen.it.happened" })))
  await startMachine(database, [handlerOf("unseen", () => {})])
  const id = await replays.start("unseen", {
    filter: { types: ["unseen.**"] },
    ratePerSecond: 0.01,
  })
  await replays.until(id, ({ delivered }) => delivered === 1)
  await replays.cancel("default", id)
  await replays.until(id, ({ outstanding: left }) => left === 0)
  const rows = await deliveriesOf(database, "unseen")
  expect(rows.map(({ event_id, status }) => [event_id, status])).toEqual([[first[0], "delivered"]])
})

test("a paused replay begins nothing, and goes on where it was", async () => {
  const { runs, note } = recorder()
  const events = Array.from({ length: 40 }, () => ({ type: "paused.it.happened" }))
  const ids = await append(database, ...events)
  await startMachine(database, [handlerOf("paused", note)])
  const id = await replays.start("paused", { filter: { types: ["paused.**"] }, ratePerSecond: 20 })
  await eventually(
    () => runs.length,
    (length) => length >= 5,
  )
  expect(await replays.pause("default", id)).toMatchObject({ status: "paused" })
  await sleep(300) // what had been taken up comes to its end
  const before = runs.length
  await sleep(1_500)
  expect(runs.length).toBe(before)
  expect(before).toBeLessThan(40)
  await replays.resume("default", id)
  expect(await replays.completed(id)).toMatchObject({ delivered: 40, matched: 40 })
  expect(runs.length).toBe(ids.length)
})

test("a rate is kept, evenly and not in rushes", async () => {
  const { runs, note } = recorder()
  await append(database, ...Array.from({ length: 60 }, () => ({ type: "paced.it.happened" })))
  await startMachine(database, [handlerOf("paced", note)])
  const id = await replays.start("paced", { filter: { types: ["paced.**"] }, ratePerSecond: 15 })
  await replays.completed(id)
  expect(runs).toHaveLength(60)
  const took = (runs.at(-1)?.at ?? 0) - (runs[0]?.at ?? 0)
  expect(took).toBeGreaterThan(3_000) // 59 intervals of 67 ms
  // However busy the machine is, three seconds' worth and no more may have come due meanwhile.
  for (const { at } of runs) {
    expect(runs.filter((other) => other.at >= at && other.at < at + 500).length).toBeLessThanOrEqual(45 + 8)
  }
})

test("what is new goes before a long replay, and loses none of its order to it", async () => {
  await appendMany(database, 3_000)
  const { runs, note } = recorder()
  const consumers = await startMachine(database, [
    handlerOf("busy", async (event, context) => {
      note(event, context)
      await sleep(5)
    }),
  ])
  const id = await replays.start("busy", { filter: { types: ["bulk.**"] } })
  await eventually(
    () => runs.length,
    (length) => length > 20,
  )
  const entity = "bulk:thing:1"
  await append(database, ...Array.from({ length: 20 }, () => ({ entity })))
  consumers.wake()
  const begun = runs.length
  await eventually(
    () => runs.filter(({ replayId }) => replayId === null).length,
    (length) => length === 20,
  )
  const live = runs.filter(({ replayId }) => replayId === null)
  expect(live.map(({ position }) => position)).toEqual(
    live.map(({ position }) => position).toSorted((x, y) => x - y),
  )
  // Between them came what they let pass, and not the thousands that waited.
  expect(runs.length - begun).toBeLessThan(1_000)
  expect((await replays.shown(id)).status).toBe("running")
  await replays.cancel("default", id)
})

test("two processes that move replays on do no step twice", async () => {
  const { runs, note } = recorder()
  await append(
    database,
    ...Array.from({ length: 300 }, (_, n) => ({ type: "twice.it.happened", entity: `x:y:${n % 9}` })),
  )
  const definition = handlerOf("twice", note, { partitions: 4 })
  await startMachine(database, [definition])
  await startMachine(database, [definition])
  const id = await replays.start("twice", { filter: { types: ["twice.**"] }, maxOutstanding: 20 })
  expect(await replays.completed(id)).toMatchObject({ matched: 300, delivered: 300 })
  expect(runs).toHaveLength(300)
})

test("events that are on their way by themselves are left to come so", async () => {
  const { runs, note } = recorder()
  const type = "waiting.it.happened"
  let failing = true
  await startMachine(database, [
    handlerOf(
      "waiting",
      (event, context) => {
        note(event, context)
        if (failing) throw new Error("not now")
      },
      { retry: { attempts: 50, initialMs: 300, maxMs: 300 } },
    ),
  ])
  await append(database, { type })
  await eventually(
    () => runs.length,
    (length) => length > 0,
  )
  const id = await replays.start("waiting", { filter: { types: [type] } })
  expect(await replays.completed(id)).toMatchObject({ matched: 1, underWay: 1, delivered: 0 })
  failing = false
  await eventually(
    () => deliveriesOf(database, "waiting"),
    ([row]) => row?.status === "delivered",
  )
  expect(runs.every(({ replayId }) => replayId === null)).toBe(true)
})

test("a tenant has no more than twenty replays at a time", async () => {
  await startMachine(database, [handlerOf("crowded", () => {})])
  const open = await Promise.all(
    Array.from({ length: 20 }, () => replays.start("crowded", { ratePerSecond: 0.01 })),
  )
  await expect(replays.start("crowded")).rejects.toMatchObject({ code: "conflict" })
  await replays.cancel("default", open[0] ?? "")
  await replays.start("crowded", { ratePerSecond: 0.01 })
})

test("positions that retention has dropped are told, and the rest is replayed", async () => {
  const { runs, note } = recorder()
  const type = "dropped.it.happened"
  await append(database, { type }, { type }, { type })
  await startMachine(database, [handlerOf("late", note)])
  const { rows } = await database.work.query<{ position: number }>(
    "select position from event_log where type = $1 order by 1",
    [type],
  )
  const [, second] = rows.map(({ position }) => position)
  await database.work.query("delete from event_log where position < $1", [second])
  const request = { filter: { types: [type] }, after: 0, upTo: null, to: "late" }
  const { replay, gap } = await replays.create(
    "default",
    { ...defaults, ...request },
    { everyTenant: true, keyId: "test" },
  )
  expect(gap).toEqual({ from: 1, to: (second ?? 0) - 1 })
  expect(replay.gap).toEqual(gap)
  expect(await replays.completed(replay.id)).toMatchObject({ matched: 2, delivered: 2 })
  expect(runs.map(({ position }) => position)).toEqual(rows.slice(1).map(({ position }) => position))
})

test("what retention drops in the midst of a replay is told", async () => {
  const { runs, note } = recorder()
  const type = "fading.it.happened"
  await append(database, { type }, { type }, { type }, { type })
  const { rows } = await database.work.query<{ position: number }>(
    "select position from event_log where type = $1 order by 1",
    [type],
  )
  const [first = 0, second = 0, third = 0, fourth = 0] = rows.map(({ position }) => position)
  await startMachine(database, [handlerOf("slow", note)])
  const request = { filter: { types: [type] }, after: first - 1, maxOutstanding: 1, ratePerSecond: 0.05 }
  const id = await replays.start("slow", request)
  await replays.until(id, ({ matched }) => matched === 1)
  await replays.pause("default", id)
  expect((await replays.shown(id)).gap).toBeNull()
  await database.work.query("delete from event_log where position <= $1", [third])
  await replays.resume("default", id)
  expect(await replays.completed(id)).toMatchObject({ matched: 2, gap: { from: second, to: third } })
  expect(runs.map(({ position }) => position).at(-1)).toBe(fourth)
})
