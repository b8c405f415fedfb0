import { beforeAll, expect, test } from "vitest"
import { fieldsOf } from "../../src/core/fields.ts"
import { parseFilter } from "../../src/core/filter.ts"
import { silentLog } from "../../src/core/log.ts"
import { systemClock } from "../../src/core/clock.ts"
import { createProcessor } from "../../src/processing/processor.ts"
import { createQueue } from "../../src/queue/queue.ts"
import { readAs, transaction } from "../../src/store/database.ts"
import { insertEvents } from "../../src/store/events.ts"
import { findEventInHistory, readHistory, type HistoryQuery } from "../../src/store/history.ts"
import { testDatabase } from "../support/database.ts"
import { linkAll, obedient } from "./obedient.ts"
import { newEvent, submit, untilLogged } from "./support.ts"

const database = await testDatabase()
const events = Array.from({ length: 120 }, (_, index) =>
  newEvent(
    {
      title: `${index % 10}`,
      type: index % 3 === 0 ? "test.thing.happened" : "test.other.thing_done",
      index,
      mentions: [`test:ref:${index % 7}`],
    },
    { tenant: index % 2 === 0 ? "even" : "odd" },
  ),
)

// Everything in one batch, so that positions follow the index.
beforeAll(async () => {
  const queue = createQueue({ url: database.url, log: silentLog })
  await queue.start()
  const platform = {
    ...obedient,
    normalize: (message: Parameters<typeof obedient.normalize>[0]) => {
      const { type } = fieldsOf(message.payload)
      return { ...obedient.normalize(message), type: String(type) }
    },
  }
  const processor = createProcessor({
    database,
    queue,
    platforms: [platform],
    correlate: linkAll,
    clock: systemClock,
    log: silentLog,
  })
  await processor.start()
  await submit(database, queue, events)
  await untilLogged(
    database,
    events.map(({ id }) => id),
  )
  await processor.stop()
  await queue.stop()
})

async function read(query: Partial<Omit<HistoryQuery, "filter">> & { filter?: object } = {}) {
  const { filter, ...rest } = query
  const page = await readAs(database, "even", (db) =>
    readHistory(db, {
      tenant: "even",
      order: "oldest",
      limit: 100,
      ...rest,
      filter: parseFilter(filter ?? {}),
    }),
  )
  const indexes = page.events.map(({ id }) => events.findIndex((event) => event.id === id))
  return { indexes, next: page.next, events: page.events }
}

const isThing = (index: number) => index % 3 === 0
const even = events.map((_, index) => index).filter((index) => index % 2 === 0)
const where = (holds: (index: number) => boolean) => even.filter(holds)

test("a tenant reads its own events alone, whole and in order", async () => {
  const { indexes, next, events: page } = await read()
  expect(indexes).toEqual(even)
  expect(next).toBeNull()
  expect(page[3]).toMatchObject({
    tenant: "even",
    type: "test.thing.happened",
    entity: "test:thing:6",
    actor: { id: "7", name: "seven", bot: false },
    references: [{ entity: "test:ref:6", relation: "mentions" }],
    raw: events[6]?.raw,
  })
  expect((await read({ order: "newest" })).indexes).toEqual(even.toReversed())
})

test("pages joined by their cursors are the whole, in both directions", async () => {
  for (const order of ["oldest", "newest"] as const) {
    const seen: number[] = []
    let pages = 0
    for (let after: number | null | undefined; after !== null; pages++) {
      const page = await read({ order, limit: 12, ...(after === undefined ? {} : { after }) })
      expect(page.indexes.length).toBeLessThanOrEqual(12)
      seen.push(...page.indexes)
      after = page.next
    }
    expect(seen).toEqual(order === "oldest" ? even : even.toReversed())
    expect(pages).toBe(5)
  }
})

test("each key of a filter picks what it says", async () => {
  expect((await read({ filter: { types: ["test.thing.*"] } })).indexes).toEqual(where(isThing))
  expect((await read({ filter: { types: ["test.thing.happened"] } })).indexes).toEqual(where(isThing))
  expect((await read({ filter: { types: ["**.thing_done", "nothing.at.all"] } })).indexes).toEqual(
    where((index) => !isThing(index)),
  )
  expect((await read({ filter: { types: ["nothing.*"] } })).indexes).toEqual([])
  expect(
    (await read({ filter: { platforms: ["custom"], sources: ["default"], actors: ["seven"] } })).indexes,
  ).toEqual(even)
  expect((await read({ filter: { actors: ["7"] } })).indexes).toEqual(even)
  expect((await read({ filter: { platforms: ["github"] } })).indexes).toEqual([])
  expect((await read({ filter: { priority: ["normal"] } })).indexes).toEqual(even)
  expect((await read({ filter: { priority: ["high"] } })).indexes).toEqual([])
  expect((await read({ filter: { entities: ["test:thing:4"] } })).indexes).toEqual(
    where((index) => index % 10 === 4),
  )
  expect((await read({ filter: { entities: ["test:ref:3", "test:thing:4"] } })).indexes).toEqual(
    where((index) => index % 7 === 3 || index % 10 === 4),
  )
  expect((await read({ filter: { where: { "payload.index": { $gte: 100 } } } })).indexes).toEqual(
    where((index) => index >= 100),
  )
})

test("times bound by receipt", async () => {
  const future = new Date(Date.now() + 60_000)
  const past = new Date(Date.now() - 3_600_000)
  expect((await read({ since: past, until: future })).indexes).toEqual(even)
  expect((await read({ since: future })).indexes).toEqual([])
  expect((await read({ until: past })).indexes).toEqual([])
})

test("an event is found by its id with its position, without one while it waits, and never by a stranger", async () => {
  const find = (tenant: string, id: string) =>
    readAs(database, tenant, (db) => findEventInHistory(db, tenant, id))
  const [first] = events
  expect(await find("even", first?.id ?? "")).toMatchObject({ id: first?.id, position: 1 })
  expect(await find("odd", first?.id ?? "")).toBeUndefined()
  expect(await find("even", "no id")).toBeUndefined()
  // Also where no row-level security stands in the way.
  expect(await findEventInHistory(database.work, "odd", first?.id ?? "")).toBeUndefined()
  const waiting = newEvent({}, { tenant: "even" })
  await transaction(database.work, (db) => insertEvents(db, [waiting]))
  expect(await find("even", waiting.id)).toMatchObject({ id: waiting.id, position: null })
})
