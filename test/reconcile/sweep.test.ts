import { expect, test } from "vitest"
import { until } from "../support/hub.ts"
import { eventsOf, gapsOf, reconcile, startWorldHub } from "./support/hub-of-world.ts"
import { ledgerOf } from "./support/ledger-of.ts"
import { delivery, fill, record } from "./support/things.ts"

const hub = await startWorldHub()
const { database } = hub

test("every delivery that did not come is asked for again, copied after three times in vain, or said to be lost", async () => {
  const { world, source, target } = await hub.newWorld()
  fill(world.deliveries, [
    delivery("came", { attempts: ["200"] }),
    delivery("came-late", { attempts: ["504", "504", "200"] }),
    delivery("first"),
    delivery("third", { again: 3 }),
    delivery("copied", { again: "never", attempts: ["502", "timed out", "502"] }),
    delivery("refused", { again: "refused" }),
    delivery("gone", { again: "never", copy: "gone" }),
    delivery("unreadable", { again: "refused", copy: "unreadable" }),
  ])
  for (const key of ["came", "came-late"]) await world.send(world.deliveries.get(key)!)

  expect(await reconcile(hub, target)).toMatchObject({ status: "complete" })
  expect(await eventsOf(database, source)).toEqual({
    came: false,
    "came-late": false,
    first: false,
    third: false,
    copied: true,
    refused: true,
  })
  expect(await gapsOf(database, source)).toEqual({
    "delivery first": "repaired",
    "delivery third": "repaired",
    "delivery copied": "repaired",
    "delivery refused": "repaired",
    "delivery gone": "lost: the provider does not hand it out any more",
    "delivery unreadable": "lost: nobody can read this",
  })
  expect(Object.fromEntries(world.asked)).toEqual({ first: 1, third: 3, copied: 3, gone: 3 })
  const ledger = await ledgerOf(database, source)
  expect(ledger).toMatchObject({ repaired: 4, open: 0, lost: 2, problem: null, calls: world.calls.length })
  expect(ledger.summary).toMatch(/^complete through .* UTC; 4 repaired, 0 open, 2 lost$/)
})

test("a record is submitted, with the provider's time, unless an event tells of it", async () => {
  const { world, source, target } = await hub.newWorld()
  const told = record("told")
  const toldByState = record("told-by-state", { known: "state", state: "thing@1" })
  const toldByIdentity = record("told-by-identity", { known: "identity", state: "thing@2" })
  fill(world.records, [
    told,
    toldByState,
    toldByIdentity,
    record("untold"),
    record("untold-by-state", { known: "state", state: "thing@3", body: "by a call" }),
    record("untold-by-identity", { known: "identity", state: "thing@4", body: "by a call" }),
    record("gone", { body: "gone" }),
    record("unreadable", { body: "unreadable" }),
  ])
  for (const thing of [told, toldByState, toldByIdentity]) await world.send(thing, `webhook of ${thing.key}`)

  expect(await reconcile(hub, target)).toMatchObject({ status: "complete" })
  const events = {
    "webhook of told": false,
    "webhook of told-by-state": false,
    "webhook of told-by-identity": false,
    untold: true,
    "untold-by-state": true,
    "untold-by-identity": true,
  }
  expect(await eventsOf(database, source)).toEqual(events)
  const gaps = {
    "record untold": "repaired",
    "record untold-by-state": "repaired",
    "record untold-by-identity": "repaired",
    "record gone": "lost: the provider does not hand it out any more",
    "record unreadable": "lost: nobody can read this",
  }
  expect(await gapsOf(database, source)).toEqual(gaps)

  const at = await until(
    async () => {
      const { rows } = await database.work.query<{ occurred_at: Date | null }>(
        "select occurred_at from events where source = $1 and delivery_id = 'untold'",
        [source.name],
      )
      return rows[0]?.occurred_at
    },
    (occurred) => occurred !== null,
  )
  expect(at).toEqual(world.records.get("untold")!.at)

  // the windows overlap wholly: a second sweep sees everything again
  world.calls.length = 0
  expect(await reconcile(hub, target)).toMatchObject({ status: "complete" })
  expect(await eventsOf(database, source)).toEqual(events)
  expect(await gapsOf(database, source)).toEqual(gaps)
  const byCall = world.calls.filter((call) => call.startsWith("GET /records/"))
  expect(byCall.filter((call) => !call.endsWith("/gone"))).toEqual([])
})

test("what comes by redelivery is not backfilled from the record of the same thing", async () => {
  const { world, source, target } = await hub.newWorld()
  const lost = delivery("sent-in-vain", { again: 2 })
  world.deliveries.set(lost.key, lost)
  world.records.set("its-record", record("its-record", { at: lost.at, entity: lost.entity }))
  expect(await reconcile(hub, target)).toMatchObject({ status: "complete" })
  expect(await eventsOf(database, source)).toEqual({ "sent-in-vain": false })
})
