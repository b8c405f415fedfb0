import { expect, onTestFinished, test } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import type { Source } from "../../src/core/source.ts"
import { createQueue, type Queue } from "../../src/queue/queue.ts"
import { createReconciler, type Reconciler, type ReconcilerOptions } from "../../src/reconcile/reconciler.ts"
import { wantSweep } from "../../src/store/completeness.ts"
import { until } from "../support/hub.ts"
import { hasty } from "./support/hasty.ts"
import { eventsOf, startWorldHub } from "./support/hub-of-world.ts"
import { ledgerOf } from "./support/ledger-of.ts"
import { delivery } from "./support/things.ts"
import type { World } from "./support/world.ts"
import { worldPlatform } from "./support/world-platform.ts"

const hub = await startWorldHub()
const { database } = hub

interface Place {
  source: Source
  world: World
}

async function places(count: number): Promise<Place[]> {
  const made = []
  for (let n = 0; n < count; n++) {
    const { source, world } = await hub.newWorld()
    world.deliveries.set("missing", delivery("missing"))
    made.push({ source, world })
  }
  return made
}

/** A reconciler of these worlds, with credentials for those that `known` names. */
function reconcilerOf(among: readonly Place[], more: Partial<ReconcilerOptions> = {}): Reconciler {
  const reconciler = createReconciler({
    ...hub.parts,
    platforms: [worldPlatform],
    sources: {
      list: () => among.map(({ source }) => source),
      credentialOf: () => "token",
      apiUrlOf: ({ id }) => among.find(({ source }) => source.id === id)?.world.url ?? null,
    },
    ...more,
  })
  onTestFinished(() => reconciler.stop())
  return reconciler
}

async function startQueue(keepsTime = false): Promise<Queue> {
  const queue = createQueue({ url: database.url, log: silentLog, keepsTime })
  onTestFinished(() => queue.stop())
  await queue.start()
  return queue
}

const isComplete = async ({ source }: Place): Promise<boolean> =>
  (await ledgerOf(database, source)).complete_through !== null

const untilComplete = (among: readonly Place[]): Promise<boolean[]> =>
  until(
    () => Promise.all(among.map(isComplete)),
    (all) => all.every(Boolean),
  )

const sweeps = ({ world }: Place): number => world.calls.filter((call) => call === "GET /log").length

test("a look sweeps every source that is due, though there is room for few at a time", async () => {
  const all = await places(5)
  const reconciler = reconcilerOf(all, { sourcesAtOnce: 2 })
  await reconciler.look()
  await untilComplete(all)
  for (const { source } of all) expect(await eventsOf(database, source)).toEqual({ missing: false })
  const before = all.map(sweeps)
  await reconciler.look() // nobody is due for five minutes
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(all.map(sweeps)).toEqual(before)
})

test("a source that hangs holds up no other", async () => {
  const [bad, ...others] = await places(4)
  bad!.world.interfere = () => "hang"
  const reconciler = reconcilerOf([bad!, ...others], { sourcesAtOnce: 2 })
  await reconciler.look()
  await untilComplete(others)
  expect(await isComplete(bad!)).toBe(false)
  await reconciler.stop()
  expect(await ledgerOf(database, bad!.source)).toMatchObject({ running: false })
})

test("of two processes that look at once, one sweeps each source", async () => {
  const all = await places(6)
  await Promise.all([reconcilerOf(all).look(), reconcilerOf(all).look(), reconcilerOf(all).look()])
  await untilComplete(all)
  expect(all.map(sweeps)).toEqual(all.map(() => 2)) // a page and the end
})

test("without a credential, or while it is off, nothing is asked of a source and nothing of the database", async () => {
  const [bare, off] = await places(2)
  const silent = new Proxy(database.work, {
    get() {
      throw new Error("the database was asked")
    },
  })
  const sources = {
    list: () => [bare!.source, { ...off!.source, off: "it is disabled" }],
    credentialOf: ({ id }: Source) => (id === off!.source.id ? "token" : null),
    apiUrlOf: () => bare!.world.url,
  }
  await reconcilerOf([], { sources, pool: silent }).look()
  expect([...bare!.world.calls, ...off!.world.calls]).toEqual([])
})

test("what somebody wants is swept at the next tick, though its time has not come", async () => {
  const [place] = await places(1)
  const reconciler = reconcilerOf([place!])
  const [asking, working] = [await startQueue(), await startQueue()]
  await working.work(() => Promise.resolve(), { critical: 0, high: 0, normal: 0, low: 0 })
  const stop = working.onTick(() => reconciler.look())
  onTestFinished(() => stop())
  await asking.tick()
  await untilComplete([place!])
  place!.world.deliveries.set("another", delivery("another"))
  const { source } = place!
  expect(await wantSweep(database.work, source, { now: new Date(), since: null })).toBe(true)
  await asking.tick()
  await until(
    () => eventsOf(database, source),
    (events) => "another" in events,
  )
  expect(
    await wantSweep(database.work, { ...source, tenant: "other" }, { now: new Date(), since: null }),
  ).toBe(false)
})

test("pg-boss's timetable has a tick for every minute, and the worker's role suffices to keep it", async () => {
  await startQueue(true)
  const { rows } = await database.work.query("select name, cron from pgboss.schedule")
  expect(rows).toEqual([{ name: "reconcile", cron: "* * * * *" }])
  await database.work.query("delete from pgboss.job where name = 'reconcile'")
  const ticks = until(
    async () => (await database.work.query("select from pgboss.job where name = 'reconcile'")).rows.length,
    (jobs) => jobs > 0,
    75_000,
  )
  expect(await ticks).toBe(1)
}, 90_000)

test("a sweep that takes long is put down after its turn, for others that wait, and goes on", async () => {
  const [long, short] = await places(2)
  for (let n = 0; n < 20; n++) long!.world.deliveries.set(`d${n}`, delivery(`d${n}`))
  long!.world.pageSize = 1
  await reconcilerOf([long!, short!], { sourcesAtOnce: 1, options: { ...hasty, turnMs: 1 } }).look()
  await untilComplete([long!, short!])
  expect(Object.keys(await eventsOf(database, long!.source))).toHaveLength(21)
})
