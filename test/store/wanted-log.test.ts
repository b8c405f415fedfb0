import { expect, it } from "vitest"
import { compileHeadFilter, parseFilter } from "../../src/core/filter.ts"
import type { LoggedEvent } from "../../src/core/envelope.ts"
import { readLogPage, type Hole } from "../../src/store/log-pages.ts"
import { readWantedLog, type LogHead } from "../../src/store/wanted-log.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"

const database = await testDatabase()
const text = "x".repeat(900)
const all = await logEvents(
  database.work,
  Array.from({ length: 1_200 }, (_, n) => ({
    tenant: n % 3 === 0 ? "other" : "default",
    type: `custom.part${n % 7}.made`,
    payload: { n, text },
  })),
)
const megabyte = 1 << 20

async function readAll(wants: (head: LogHead) => boolean, maxBytes: number) {
  const items: (LoggedEvent | Hole)[] = []
  const sizes: number[] = []
  for (let after = 0; ;) {
    const stretch = await readWantedLog(database.work, after, wants, maxBytes)
    if (stretch === undefined) return { items, sizes, after }
    expect(stretch.upTo).toBeGreaterThan(after)
    items.push(...stretch.items)
    sizes.push(stretch.items.length)
    after = stretch.upTo
  }
}

it("what is wanted is all read, in order and as a page has it, however little is read at a time", async () => {
  const matches = compileHeadFilter(parseFilter({ types: ["custom.part2.*", "custom.part5.**"] }))
  const wants = (head: LogHead) => head.tenant === "default" && matches(head)
  const whole: (LoggedEvent | Hole)[] = []
  for (let after = 0; after < all.length;) {
    const page = await readLogPage(database.work, after, megabyte)
    whole.push(...page.items)
    after = page.upTo
  }
  const wanted = whole.filter((item) => !("to" in item) && wants(item))
  expect(wanted.length).toBeGreaterThan(200)
  for (const maxBytes of [1, 10_000, megabyte]) {
    const { items, after } = await readAll(wants, maxBytes)
    expect(items).toEqual(wanted)
    expect(after).toBe(all.length)
  }
})

it("no more than 256 events and no event beyond the bytes are read at a time", async () => {
  const { sizes } = await readAll(() => true, megabyte)
  expect(sizes).toEqual([256, 256, 256, 256, 176])
  const few = await readAll(() => true, 2_500)
  expect(Math.max(...few.sizes)).toBe(3)
})

it("a stretch in which nothing is wanted is passed over at once, and no body of it is read", async () => {
  const { items, sizes } = await readAll(() => false, megabyte)
  expect([items, sizes]).toEqual([[], [0, 0]])
})

it("where positions are missing, the whole log is to tell; an event that has just gone is a hole", async () => {
  const [first, second] = [all[0], all[1]]
  await database.work.query("delete from events where id = $1", [second?.id])
  const stretch = await readWantedLog(database.work, 0, () => true, 2_500)
  expect(stretch?.items.slice(0, 2)).toEqual([expect.objectContaining({ id: first?.id }), { from: 2, to: 2 }])
  await database.work.query("delete from event_log where position = 2")
  expect(await readWantedLog(database.work, 0, () => true, megabyte)).toBeUndefined()
  expect(await readWantedLog(database.work, all.length, () => true, megabyte)).toBeUndefined()
})
