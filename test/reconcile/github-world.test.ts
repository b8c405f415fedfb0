import { expect, test } from "vitest"
import { reconcileSource } from "../../src/reconcile/reconcile-source.ts"
import { playHistory } from "../support/worlds/github-history.ts"
import {
  backfilled,
  fingerprintsHere,
  fingerprintsThere,
  ledgerOf,
  reconcileToEnd,
  startGithubHub,
} from "./support/hub-of-github.ts"

const newWorld = await startGithubHub()
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

test("of 1,000 deliveries 137 are lost in three ways, and after reconciling all 1,000 are here once", async () => {
  const hub = await newWorld({ limit: 200, badGatewayEvery: 41, secondaryEvery: 97 })
  const { world } = hub
  const from = new Date(Date.now() - 7 * hour)
  await playHistory(world, { seed: 1, things: 1_000, lost: 137, from, everyMs: 20_000 })
  expect(world.deliveries.size).toBe(1_000)
  expect(await fingerprintsHere(hub)).toHaveLength(863)

  const outcomes = await reconcileToEnd(hub)
  expect(outcomes.filter(({ status }) => status === "paused").length).toBeGreaterThan(2) // limits were met
  await world.idle()
  expect(await fingerprintsHere(hub)).toEqual(fingerprintsThere(hub))
  expect(await ledgerOf(hub)).toMatchObject({ repaired: 137, open: 0, lost: 0, problem: null })
  expect(world.violations).toEqual([])
}, 120_000)

test("where everything came, nothing is fetched a second time, and a second look costs next to nothing", async () => {
  const hub = await newWorld()
  const { world } = hub
  const from = new Date(Date.now() - 2 * hour)
  await playHistory(world, { seed: 2, things: 300, lost: 0, from, everyMs: 20_000 })

  await reconcileToEnd(hub)
  await reconcileToEnd(hub, from)
  expect(await backfilled(hub)).toEqual([])
  expect(await fingerprintsHere(hub)).toEqual(fingerprintsThere(hub))
  expect(await ledgerOf(hub)).toMatchObject({ repaired: 0, open: 0, lost: 0, problem: null })
  expect(world.calls.filter((call) => call.startsWith("POST"))).toEqual([])
  const spent = world.spent()
  await reconcileToEnd(hub, from)
  expect(world.spent() - spent).toBe(0) // every page was as before: nothing counts towards the limit
}, 60_000)

test("a delivery that never arrives, however often it is sent, is copied from GitHub's log", async () => {
  const hub = await newWorld({ options: { patienceMs: 100 } })
  const { world } = hub
  await world.happen("acme/api", "push", new Date(Date.now() - hour))
  const lost = await world.happen("acme/api", "check", new Date(Date.now() - 50 * minute), "hub down")
  world.unreachable.add(lost.guid)

  await reconcileToEnd(hub)
  await world.idle()
  expect(world.attempts.filter(({ guid, redelivery }) => guid === lost.guid && redelivery)).toHaveLength(3)
  expect(await backfilled(hub)).toEqual([{ key: lost.guid, payload: lost.payload }])
  expect(await fingerprintsHere(hub)).toEqual(fingerprintsThere(hub))
})

test("what GitHub's log has forgotten is made of its records", async () => {
  const hub = await newWorld()
  const { world } = hub
  await world.happen("acme/api", "push", new Date(Date.now() - 6 * day))
  await world.happen("acme/web", "push", new Date(Date.now() - 6 * day))
  const from = new Date(Date.now() - 5 * day)
  await playHistory(world, { seed: 3, things: 60, lost: 60, from, everyMs: minute, only: "recorded" })
  world.forget()

  await reconcileToEnd(hub, new Date(Date.now() - 7 * day))
  expect(await fingerprintsHere(hub)).toEqual(fingerprintsThere(hub))
  expect(await backfilled(hub)).toHaveLength(60)
  expect(await ledgerOf(hub)).toMatchObject({ repaired: 60, open: 0, lost: 0 })
}, 60_000)

test("an organization's hook heals what happened in any of its repositories", async () => {
  const hub = await newWorld({ ofOrganization: true })
  const from = new Date(Date.now() - 2 * hour)
  await playHistory(hub.world, { seed: 4, things: 60, lost: 30, from, everyMs: minute })

  await reconcileToEnd(hub)
  await hub.world.idle()
  expect(await fingerprintsHere(hub)).toEqual(fingerprintsThere(hub))
  expect(await ledgerOf(hub)).toMatchObject({ repaired: 30, open: 0, lost: 0, problem: null })
  expect(hub.world.calls).toContain("GET /orgs/acme/repos?direction=desc&per_page=100&sort=pushed")
}, 60_000)

test.for([11, 13])(
  "a reconciler that is stopped at any point changes nothing (%i)",
  { timeout: 60_000 },
  async (seed) => {
    const hub = await newWorld({ badGatewayEvery: 23 })
    const { world } = hub
    const from = new Date(Date.now() - 2 * hour)
    await playHistory(world, { seed, things: 120, lost: 60, from, everyMs: minute })

    for (let calls = 3; calls < 90; calls += seed) {
      const stop = new AbortController()
      const end = world.calls.length + calls
      world.onCall = () => void (world.calls.length >= end && stop.abort(new Error("stopped by the test")))
      const { status } = await reconcileSource(hub.parts, hub.target, { signal: stop.signal })
      if (status === "complete") break
      hub.pass(minute)
    }
    world.onCall = () => {}
    await reconcileToEnd(hub)
    await world.idle()
    expect(await fingerprintsHere(hub)).toEqual(fingerprintsThere(hub))
    expect(await ledgerOf(hub)).toMatchObject({ repaired: 60, open: 0, lost: 0, problem: null })
  },
)
