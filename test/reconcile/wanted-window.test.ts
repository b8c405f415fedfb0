import { expect, test } from "vitest"
import { beginWindow, claimSweep, releaseSweep, wantSweep } from "../../src/store/completeness.ts"
import { eventsOf, gapsOf, reconcile, startWorldHub } from "./support/hub-of-world.ts"
import { ledgerOf } from "./support/ledger-of.ts"
import { delivery, fill, minutesAgo } from "./support/things.ts"

const hub = await startWorldHub()
const { database } = hub

const days = 86_400_000

test("a time in the future, from when on somebody wants a source swept, keeps nothing from being swept", async () => {
  const { world, source, target } = await hub.newWorld()
  fill(world.deliveries, [delivery("a")])
  const since = new Date(Date.now() + 400 * days)
  expect(await reconcile(hub, target, { since })).toMatchObject({ status: "complete" })
  expect(Object.keys(await eventsOf(database, source))).toEqual(["a"])
})

test("an earlier time that is asked for while a sweep begins is not forgotten", async () => {
  const { world, source, target } = await hub.newWorld()
  fill(world.deliveries, [delivery("old", { at: minutesAgo(5 * 24 * 60) })])
  const now = new Date()
  const lease = await claimSweep(database.work, source.id, { now, leaseMs: 60_000, force: true })
  await wantSweep(database.work, source, { now, since: minutesAgo(6 * 24 * 60) })
  await beginWindow(database.work, lease!, { since: minutesAgo(60), until: now })
  await releaseSweep(database.work, lease!)
  expect(await reconcile(hub, target)).toMatchObject({ status: "complete" })
  expect(Object.keys(await eventsOf(database, source))).toEqual(["old"])
})

test("a delivery that was given up on is tried again when the provider's record is gone through once more", async () => {
  const { world, source, target } = await hub.newWorld()
  const gone = delivery("hidden", { again: "refused", copy: "gone" })
  fill(world.deliveries, [gone])
  expect(await reconcile(hub, target)).toMatchObject({ status: "complete" })
  expect(await ledgerOf(database, source)).toMatchObject({ lost: 1, open: 0 })

  Object.assign(gone, { copy: "there" }) // the token may see it by now
  expect(await reconcile(hub, target, { since: minutesAgo(60) })).toMatchObject({ status: "complete" })
  expect(await gapsOf(database, source)).toEqual({ "delivery hidden": "repaired" })
  expect(await ledgerOf(database, source)).toMatchObject({ repaired: 1, lost: 0, open: 0 })
})
