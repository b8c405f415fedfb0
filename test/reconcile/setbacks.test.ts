import { expect, test } from "vitest"
import type { Source } from "../../src/core/source.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import { claimSweep, dueSweeps, releaseSweep, renewSweep } from "../../src/store/completeness.ts"
import { eventsOf, gapsOf, reconcile, startWorldHub } from "./support/hub-of-world.ts"
import { ledgerOf } from "./support/ledger-of.ts"
import { delivery, fill, minutesAgo, record } from "./support/things.ts"
import type { Interference, World } from "./support/world.ts"

const hub = await startWorldHub()
const { database } = hub

/** Interferes with requests of this kind from the n-th on, until it is called off. */
function disturb(world: World, kind: RegExp, with_: Interference, from = 1): () => void {
  let seen = 0
  world.interfere = (call) => (kind.test(call) && ++seen >= from ? with_ : undefined)
  return () => {
    world.interfere = () => undefined
  }
}

/** A clock that is ahead by so many seconds. */
const ahead = (seconds: number) => () => new Date(Date.now() + seconds * 1_000)

test.each([
  { kind: /^GET .log/, at: 3 },
  { kind: /attempts$/, at: 2 },
  { kind: /^GET .deliveries/, at: 2 },
  { kind: /^GET .records/, at: 2 },
])(
  "a limit met at $kind is obeyed to the second, and the sweep goes on from where it stood",
  async ({ kind, at }) => {
    const { world, source, target } = await hub.newWorld()
    world.pageSize = 2
    fill(world.deliveries, [
      delivery("a"),
      delivery("b", { again: "refused" }),
      delivery("c"),
      delivery("d", { again: "refused" }),
    ])
    fill(
      world.records,
      ["e", "f", "g"].map((key) => record(key, { body: "by a call" })),
    )
    const calm = disturb(world, kind, { status: 429, retryAfter: 90 }, at)
    const paused = await reconcile(hub, target)
    expect(paused).toMatchObject({ status: "paused", problem: "the world says 429" })
    expect(paused).toHaveProperty("nextAt")
    const ledger = await ledgerOf(database, source)
    expect(ledger).toMatchObject({ complete_through: null, problem: "the world says 429", running: false })

    // before that nothing is asked, whoever wants it
    calm()
    const calls = world.calls.length
    expect(await reconcile(hub, target, { clock: ahead(85) })).toEqual({ status: "busy" })
    expect(world.calls.length).toBe(calls)
    expect(await reconcile(hub, target, { clock: ahead(95) })).toMatchObject({ status: "complete" })
    const pages = world.calls.filter((call) => call === "GET /log").length
    expect(pages).toBeLessThanOrEqual(5 + 2) // two of deliveries, two of records, the end; what was under way again
    expect(Object.keys(await eventsOf(database, source))).toEqual(["a", "b", "c", "d", "e", "f", "g"])
    expect(await ledgerOf(database, source)).toMatchObject({ repaired: 7, open: 0, lost: 0, problem: null })
  },
)

test("a limit that a provider's header puts beyond all bounds is asked about again after a day", async () => {
  const { world, source, target } = await hub.newWorld()
  const calm = disturb(world, /log/, { status: 429, retryAfter: 999_999_999_999_999 })
  expect(await reconcile(hub, target)).toMatchObject({ status: "paused" })
  expect(await ledgerOf(database, source)).toMatchObject({ problem: "the world says 429" })
  calm()
  expect(await reconcile(hub, target, { clock: ahead(86_300) })).toEqual({ status: "busy" })
  expect(await reconcile(hub, target, { clock: ahead(86_500) })).toMatchObject({ status: "complete" })
})

test.each([401, 403])(
  "what the operator must mend (%i) is said in the ledger, and tried again after a quarter of an hour or when it is asked for",
  async (status) => {
    const { world, source, target } = await hub.newWorld()
    const calm = disturb(world, /log/, { status })
    const before = Date.now()
    const paused = await reconcile(hub, target)
    expect(paused).toMatchObject({ status: "paused", problem: `the world says ${status}` })
    expect("nextAt" in paused && paused.nextAt.getTime() - before).toBeGreaterThanOrEqual(15 * 60_000)
    expect(await dueSweeps(database.work, [source.id], ahead(14 * 60)())).toEqual([])
    expect(await dueSweeps(database.work, [source.id], ahead(16 * 60)())).toEqual([source.id])
    calm()
    expect(await reconcile(hub, target)).toMatchObject({ status: "complete" })
    expect(await ledgerOf(database, source)).toMatchObject({ problem: null })
  },
)

test("a provider that is away is asked ever more seldom, up to every quarter of an hour", async () => {
  const { world, source, target } = await hub.newWorld()
  const calm = disturb(world, /log/, { status: 503 })
  const waits: number[] = []
  for (let failures = 0; failures < 7; failures++) {
    const before = Date.now()
    const paused = await reconcile(hub, target)
    if ("nextAt" in paused) waits.push(Math.round((paused.nextAt.getTime() - before) / 30_000) / 2)
  }
  expect(waits).toEqual([0.5, 1, 2, 4, 8, 15, 15])
  calm()
  expect(await reconcile(hub, target)).toMatchObject({ status: "complete" })
  expect(await ledgerOf(database, source)).toMatchObject({ problem: null, open: 0 })
})

test("where redelivery is forbidden for all, deliveries are copied, and nobody asks in vain again", async () => {
  const { world, source, target } = await hub.newWorld()
  fill(
    world.deliveries,
    ["a", "b", "c", "d"].map((key) => delivery(key, { again: "forbidden" })),
  )
  expect(await reconcile(hub, target, { options: { atOnce: 1 } })).toMatchObject({ status: "complete" })
  expect(await eventsOf(database, source)).toEqual({ a: true, b: true, c: true, d: true })
  expect(world.calls.filter((call) => call.endsWith("attempts"))).toHaveLength(1)
})

test.each([/log/, /attempts/, /^GET .deliveries/, /records/])(
  "a provider that hangs at %s is given up in time, and the sweep goes on later",
  async (kind) => {
    const { world, source, target } = await hub.newWorld()
    fill(world.deliveries, [delivery("a"), delivery("b", { again: "refused" })])
    fill(world.records, [record("c", { body: "by a call" })])
    const calm = disturb(world, kind, "hang")
    const short = { pageTimeoutMs: 200, callTimeoutMs: 200 }
    const paused = await reconcile(hub, target, { options: short })
    expect(paused).toMatchObject({
      status: "paused",
      problem: expect.stringMatching(/did not answer within 0.2 s/),
    })
    calm()
    expect(await reconcile(hub, target)).toMatchObject({ status: "complete" })
    expect(Object.keys(await eventsOf(database, source))).toEqual(["a", "b", "c"])
  },
)

test("told to stop, a run lets go of its source at once and another goes on", async () => {
  const { world, source, target } = await hub.newWorld()
  fill(
    world.deliveries,
    ["a", "b", "c"].map((key) => delivery(key, { again: "never" })),
  )
  const stop = new AbortController()
  world.interfere = (call) => {
    if (call.endsWith("attempts")) stop.abort(new Error("this process stops"))
    return undefined
  }
  expect(await reconcile(hub, target, { signal: stop.signal })).toEqual({ status: "stopped" })
  expect(await ledgerOf(database, source)).toMatchObject({ running: false, problem: null, open: 3 })
  expect(await dueSweeps(database.work, [source.id], new Date())).toEqual([source.id])
  world.interfere = () => undefined
  expect(await reconcile(hub, target)).toMatchObject({ status: "complete" })
  expect(await ledgerOf(database, source)).toMatchObject({ repaired: 3, open: 0 })
})

test("one that is held by a process that lives is left to it", async () => {
  const { world, target } = await hub.newWorld()
  const hang = disturb(world, /log/, "hang")
  const stop = new AbortController()
  const held = reconcile(hub, target, { signal: stop.signal })
  await expect.poll(() => world.calls.length).toBe(1)
  expect(await reconcile(hub, target)).toEqual({ status: "busy" })
  await new Promise((resolve) => setTimeout(resolve, 900)) // longer than its lease, which it renews
  expect(await reconcile(hub, target)).toEqual({ status: "busy" })
  expect(world.calls.length).toBe(1)
  hang()
  stop.abort(new Error("enough"))
  expect(await held).toEqual({ status: "stopped" })
})

test("a renewal that comes late takes hold of nothing that was let go", async () => {
  const { source } = await hub.newWorld()
  const lease = await claimSweep(database.work, source.id, { now: new Date(), leaseMs: 60_000, force: true })
  expect(await renewSweep(database.work, lease!, 60_000)).toBe(true)
  await releaseSweep(database.work, lease!)
  expect(await renewSweep(database.work, lease!, 60_000)).toBe(false)
  expect(await ledgerOf(database, source)).toMatchObject({ running: false })
})

async function outage(source: Source, key: string, from: Date, to: Date | null): Promise<void> {
  await database.work.query(
    `insert into source_gaps (id, source_id, tenant, kind, key, reason, started_at, ended_at, state)
     values ($1, $2, 'acme', 'outage', $3, 'hub_down', $4, $5, 'open')`,
    [uuidv7(), source.id, key, from, to],
  )
}

test("an outage is over for the ledger once all of its time was checked and nothing of it is missing", async () => {
  const { world, source, target } = await hub.newWorld()
  await outage(source, "whole", minutesAgo(40), minutesAgo(35))
  await outage(source, "with a loss", minutesAgo(30), minutesAgo(25))
  await outage(source, "goes on", minutesAgo(5), null)
  await outage(source, "ended now", minutesAgo(4), new Date(Date.now() + 60_000))
  await outage(source, "before all", minutesAgo(60 * 24 * 30), minutesAgo(60 * 24 * 29))
  fill(world.deliveries, [
    delivery("in whole", { at: minutesAgo(37) }),
    delivery("lost", { at: minutesAgo(27), again: "never", copy: "gone" }),
  ])
  expect(await reconcile(hub, target)).toMatchObject({ status: "complete" })
  expect(await gapsOf(database, source)).toEqual({
    "delivery in whole": "repaired",
    "delivery lost": "lost: the provider does not hand it out any more",
    "outage before all": "open",
    "outage ended now": "open",
    "outage goes on": "open",
    "outage whole": "repaired",
    "outage with a loss": "lost: 1 of its time are lost",
  })
  expect(await reconcile(hub, target, { clock: ahead(120) })).toMatchObject({ status: "complete" })
  expect(await gapsOf(database, source)).toMatchObject({
    "outage ended now": "repaired",
    "outage goes on": "open",
  })
})

test("the first sweep looks back to the making of the source, three days at most, or to where it is told; a clock set back leaves no hole", async () => {
  const { world, source, target } = await hub.newWorld()
  const overlap = { overlapMs: 60_000 }
  fill(world.deliveries, [
    delivery("before it was made", { at: minutesAgo(3 * 24 * 60 - 5) }),
    delivery("after", { at: minutesAgo(2 * 24 * 60 - 5) }),
  ])
  expect(await reconcile(hub, target, { options: overlap })).toMatchObject({ status: "complete" })
  expect(Object.keys(await eventsOf(database, source))).toEqual(["after"])
  const first = await ledgerOf(database, source)

  await reconcile(hub, target, { options: overlap, since: minutesAgo(4 * 24 * 60) })
  expect(Object.keys(await eventsOf(database, source))).toEqual(["after", "before it was made"])
  const second = await ledgerOf(database, source)
  expect(second.complete_from!.getTime()).toBeLessThan(first.complete_from!.getTime())
  expect(second.complete_through!.getTime()).toBeGreaterThan(first.complete_through!.getTime())

  // nor does a wish for less than what follows on; nothing is said of what is to come by that clock
  await reconcile(hub, target, { options: overlap, clock: ahead(-30), since: new Date() })
  const third = await ledgerOf(database, source)
  expect(third.complete_through!.getTime()).toBeLessThanOrEqual(ahead(-30)().getTime())
  expect(third.complete_from).toEqual(second.complete_from)
})

test("what is younger than the settling time is not judged", async () => {
  const { world, source, target } = await hub.newWorld()
  fill(world.deliveries, [delivery("old", { at: minutesAgo(3) }), delivery("young", { at: minutesAgo(1) })])
  const options = { settleMs: 120_000 }
  expect(await reconcile(hub, target, { options })).toMatchObject({ status: "complete" })
  expect(Object.keys(await eventsOf(database, source))).toEqual(["old"])
  expect((await ledgerOf(database, source)).complete_through!.getTime()).toBeLessThanOrEqual(
    Date.now() - 120_000,
  )
})

test("a lost delivery that comes after all is repaired", async () => {
  const { world, source, target } = await hub.newWorld()
  const late = delivery("late", { again: "never", copy: "gone" })
  world.deliveries.set("late", late)
  await reconcile(hub, target)
  expect(await ledgerOf(database, source)).toMatchObject({ lost: 1, repaired: 0 })
  await world.send(late)
  await reconcile(hub, target)
  expect(await ledgerOf(database, source)).toMatchObject({ lost: 0, repaired: 1 })
})
