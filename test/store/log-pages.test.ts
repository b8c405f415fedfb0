import { expect, it } from "vitest"
import { readLogPage } from "../../src/store/log-pages.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"

const database = await testDatabase()

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
