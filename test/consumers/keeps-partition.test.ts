import { expect, onTestFinished, test } from "vitest"
import { createConsumers } from "../../src/consumers/create-consumers.ts"
import { partitionOf } from "../../src/core/partition-of.ts"
import { orderKey } from "../../src/consumers/order-key.ts"
import type { LoggedEvent } from "../../src/core/envelope.ts"
import { silentLog } from "../../src/core/log.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import { registerConsumer } from "../../src/store/consumers.ts"
import { readLogPage, type Hole } from "../../src/store/log-pages.ts"
import { readLoggedEvents } from "../../src/store/log-scan.ts"
import { readWantedLog } from "../../src/store/wanted-log.ts"
import { entityIn, giveEntity } from "../processing/other-entity.ts"
import { testDatabase } from "../support/database.ts"
import { append, deliveriesOf, eventually, readerOf } from "./log.ts"

const database = await testDatabase()
const partitions = 4

/** Registers a handler that has come to the end of the log in every partition but one. */
async function lagging(name: string, behind: number, from = 0): Promise<string> {
  const id = await registerConsumer(database.work, {
    tenant: "default",
    name,
    kind: "handler",
    stream: "all_events",
    filter: {},
    partitions,
    from,
  })
  await database.work.query(
    `update subscription_partitions set position = (select position from event_log_head)
     where subscription_id = $1 and partition <> $2`,
    [id, behind],
  )
  return id
}

/** Runs handlers until each has run the given number of events; answers which. */
async function runAll(counts: Readonly<Record<string, number>>): Promise<Record<string, string[]>> {
  const consumers = createConsumers({ database, read: readerOf(database), log: silentLog, beatMs: 50 })
  onTestFinished(() => consumers.stop())
  const runs: Record<string, string[]> = {}
  for (const name of Object.keys(counts)) {
    const mine = (runs[name] = [] as string[])
    consumers.add({
      name,
      kind: "handler",
      tenant: "default",
      stream: "all_events",
      matches: () => true,
      partitions,
      run: ({ id }) => void mine.push(id),
    })
  }
  await consumers.start()
  for (const [name, count] of Object.entries(counts)) {
    await eventually(
      () => deliveriesOf(database, name),
      (rows) => rows.length >= count && rows.every(({ status }) => status === "delivered"),
    )
  }
  await consumers.stop()
  return runs
}

async function positionOf(id: string): Promise<number> {
  const [event] = await readLoggedEvents(database.work, [id])
  return event?.position ?? 0
}

function idIn(partition: number): string {
  for (;;) {
    const id = uuidv7()
    if (partitionOf(id, partitions) === partition) return id
  }
}

test("an event that gets another entity is run by the partition that has not come to it", async () => {
  const ids = await append(database, { entity: entityIn(0, partitions) }, { id: idIn(1) })
  const [named = "", unnamed = ""] = ids
  await lagging("lags-at-0", 0)
  await lagging("lags-at-1", 1)
  await giveEntity(database.url, [named], entityIn(3, partitions))
  await giveEntity(database.url, [unnamed], entityIn(2, partitions))
  const [later = ""] = await append(database, { entity: entityIn(3, partitions) })

  const runs = await runAll({ "lags-at-0": 2, "lags-at-1": 2 })
  expect(runs["lags-at-0"]?.toSorted()).toEqual([named, later].toSorted())
  expect(runs["lags-at-1"]?.toSorted()).toEqual([unnamed, later].toSorted())
})

test("an event that has run already is not run again for its new entity", async () => {
  const [id = ""] = await append(database, { entity: entityIn(3, partitions) })
  await lagging("lags-elsewhere", 0, (await positionOf(id)) - 1)
  await giveEntity(database.url, [id], entityIn(0, partitions))
  const [later = ""] = await append(database, { entity: entityIn(0, partitions) })
  expect(await runAll({ "lags-elsewhere": 1 })).toEqual({ "lags-elsewhere": [later] })
})

test("a consumer that is dealt anew leaves what waits for another attempt with its first entity", async () => {
  const [id = ""] = await append(database, { entity: entityIn(0, partitions) })
  const subscription = await lagging("dealt-anew", 0)
  await database.work.query(
    `insert into event_deliveries (event_id, subscription_id, tenant, partition, position, status, attempts)
     select event_id, $2, tenant, 0, position, 'retrying', 1 from event_log where event_id = $1`,
    [id, subscription],
  )
  await giveEntity(database.url, [id], entityIn(3, partitions))
  const record = { tenant: "default", name: "dealt-anew", kind: "handler", stream: "all_events" } as const
  await registerConsumer(database.work, { ...record, filter: {}, partitions: 8, from: 0 })
  expect(await deliveriesOf(database, "dealt-anew")).toMatchObject([
    { event_id: id, partition: partitionOf(entityIn(0, partitions), 8) },
  ])
})

test("an event keeps its order key however it is read, and however often its entity changes", async () => {
  const { work } = database
  const ids = await append(database, { entity: "thing:first" }, {}, { entity: "thing:second" })
  const keys = ["thing:first", ids[1], "thing:second"]
  await append(database, { type: "test.thing.other" })
  const before = (await positionOf(ids[0] ?? "")) - 1
  for (const entity of ["thing:second", "thing:third", null, "thing:first"]) {
    await giveEntity(database.url, ids, entity)
    const page = await readLogPage(work, before, 1 << 20)
    const stretch = await readWantedLog(work, before, ({ type }) => type !== "test.thing.other", 1 << 20)
    for (const items of [page.items, stretch?.items ?? [], await readLoggedEvents(work, ids)]) {
      const events = items.filter((item) => isOneOf(ids, item))
      expect(events.map((event) => [event.entity, orderKey(event)])).toEqual(keys.map((key) => [entity, key]))
    }
  }
})

function isOneOf(ids: readonly string[], item: LoggedEvent | Hole): item is LoggedEvent {
  return "id" in item && ids.includes(item.id)
}
