import { expect, test } from "vitest"
import { claimSweep, dueSweeps } from "../../src/store/completeness.ts"
import { eventsOf, reconcile, startWorldHub } from "./support/hub-of-world.ts"
import { ledgerOf } from "./support/ledger-of.ts"
import { delivery, fill, minutesAgo } from "./support/things.ts"

const hub = await startWorldHub()
const { database } = hub

const hours = 3_600_000
const options = { settleMs: 0, overlapMs: 60_000 }
/** A clock that is ahead by so many milliseconds. */
const ahead = (ms: number) => () => new Date(Date.now() + ms)

test("what happened while the clock was ahead, and after it was mended, is swept, and until then not said to be complete", async () => {
  const { world, source, target } = await hub.newWorld()
  fill(world.deliveries, [delivery("before")])
  expect(await reconcile(hub, target, { options })).toMatchObject({ status: "complete" })
  expect(await reconcile(hub, target, { options, clock: ahead(48 * hours) })).toMatchObject({
    status: "complete",
  })
  // sent in vain since, but before what a window usually reaches back to
  fill(world.deliveries, [delivery("meanwhile", { at: minutesAgo(20) })])
  expect(await reconcile(hub, target, { options, clock: ahead(48 * hours) })).toMatchObject({
    status: "complete",
  })
  expect(Object.keys(await eventsOf(database, source))).toEqual(["before"])

  expect(await dueSweeps(database.work, [source.id], new Date())).toEqual([source.id])
  const stopped = { status: 503 }
  world.interfere = () => stopped
  expect(await reconcile(hub, target, { options })).toMatchObject({ status: "paused" })
  expect(await ledgerOf(database, source)).toMatchObject({ complete_from: null, complete_through: null })
  world.interfere = () => undefined
  expect(await reconcile(hub, target, { options })).toMatchObject({ status: "complete" })
  expect(Object.keys(await eventsOf(database, source))).toEqual(["before", "meanwhile"])
  const { complete_through } = await ledgerOf(database, source)
  expect(complete_through!.getTime()).toBeLessThanOrEqual(Date.now())
  expect(await dueSweeps(database.work, [source.id], new Date())).toEqual([])
})

test("a window that a clock ahead has begun is begun anew", async () => {
  const { world, source, target } = await hub.newWorld()
  world.interfere = () => ({ status: 429, retryAfter: 86_400 })
  expect(await reconcile(hub, target, { options, clock: ahead(48 * hours) })).toMatchObject({
    status: "paused",
  })
  world.interfere = () => undefined
  fill(world.deliveries, [delivery("meanwhile", { at: minutesAgo(20) })])
  expect(await reconcile(hub, target, { options })).toMatchObject({ status: "complete" })
  expect(Object.keys(await eventsOf(database, source))).toEqual(["meanwhile"])
  const { complete_through } = await ledgerOf(database, source)
  expect(complete_through!.getTime()).toBeLessThanOrEqual(Date.now())
})

test("a lease that a clock ahead has given ends when the clock is mended", async () => {
  const { source, target } = await hub.newWorld()
  const claim = { now: new Date(), leaseMs: 48 * hours, force: true }
  expect(await claimSweep(database.work, source.id, claim)).toBeDefined()
  expect(await reconcile(hub, target)).toMatchObject({ status: "complete" })
})

test("left to itself a ledger is kept by the database's clock", async () => {
  const { source, target } = await hub.newWorld()
  expect(await reconcile(hub, target, { options, clock: undefined })).toMatchObject({ status: "complete" })
  const { rows } = await database.work.query(
    `select complete_through <= clock_timestamp() and complete_through > clock_timestamp() - interval '1 minute' as near
     from source_completeness where source_id = $1`,
    [source.id],
  )
  expect(rows).toEqual([{ near: true }])
})
