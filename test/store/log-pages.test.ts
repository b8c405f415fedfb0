import { expect, it } from "vitest"
import { transaction, type Db } from "../../src/store/database.ts"
import { openLogReader } from "../../src/store/log-reader.ts"
import { readLogPage } from "../../src/store/log-pages.ts"
import { readWantedLog } from "../../src/store/wanted-log.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"

const database = await testDatabase()

async function explain(statement: string, db: Db): Promise<string> {
  const { rows } = await db.query<{ "QUERY PLAN": string }>(`explain execute ${statement}`)
  return rows.map((row) => row["QUERY PLAN"]).join("\n")
}

it("a page ends with the event that passes its bytes, and the next goes on behind it", async () => {
  const text = "x".repeat(1_000)
  const events = await logEvents(
    database.work,
    Array.from({ length: 9 }, (_, n) => ({ payload: { n, text } })),
  )
  const sizes: number[] = []
  const read: unknown[] = []
  for (let after = 0, head = 1; after < head;) {
    const page = await readLogPage(database.work, after, 2_500)
    sizes.push(page.items.length)
    for (const item of page.items) if ("id" in item) read.push(item.id)
    after = page.upTo
    head = page.head
  }
  expect(sizes).toEqual([3, 3, 3])
  expect(read).toEqual(events.map(({ id }) => id))
})

it("one event is read however large it is", async () => {
  const { head } = await readLogPage(database.work, 0, 1)
  await logEvents(database.work, [{ payload: { text: "x".repeat(100_000) } }, { payload: {} }])
  const page = await readLogPage(database.work, head, 10)
  expect([page.items.length, page.upTo]).toEqual([1, head + 1])
})

it("a page is sought event by event and by nobody else's hands, whatever the planner knew", async () => {
  const wholeOrParallel = /Gather|(?:Hash|Merge) .*Join|(?:Seq|Bitmap Heap) Scan on events_/
  const unplanned = await openLogReader({
    url: database.url,
    name: "test",
    onHint: () => {},
    onLost: ({ message }) => expect.unreachable(message),
  })
  await unplanned.read(0, 1_000)
  expect(await unplanned.use((db) => explain("read_log_page(0, 1000000)", db))).not.toMatch(wholeOrParallel)
  await unplanned.close()

  await logEvents(
    database.work,
    Array.from({ length: 600 }, (_, n) => ({ type: `test.thing.of_${n % 2}`, payload: { n } })),
  )
  await database.work.query("analyze events, event_log, event_references")
  await transaction(database.work, async (db) => {
    await db.query("set local plan_cache_mode = force_generic_plan")
    await readLogPage(db, 0, 1_000)
    expect(await explain("read_log_page(0, 1000000)", db)).not.toMatch(wholeOrParallel)
    await readWantedLog(db, 0, ({ type }) => type !== "test.thing.of_1", 1_000)
    const lists = "array['a'], array['a'], array['a'], array['a'], array['a'], array['a']"
    expect(await explain(`read_wanted_log(0, 1000, 1000000, ${lists})`, db)).not.toMatch(
      /Gather|Seq Scan on events_/,
    )
  })
})
