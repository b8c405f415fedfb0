import type { QueryConfig } from "pg"
import { expect, it } from "vitest"
import { compileHeadFilter, parseFilter } from "../../src/core/filter.ts"
import type { LoggedEvent } from "../../src/core/envelope.ts"
import type { Db } from "../../src/store/database.ts"
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

const wantsMost = (head: LogHead) => head.type !== "custom.part6.made"

it("no more than 256 events and no event beyond the bytes are read at a time", async () => {
  const { items, sizes } = await readAll(wantsMost, megabyte)
  expect(items).toHaveLength(1_029)
  expect(Math.max(...sizes)).toBe(256)
  const few = await readAll(wantsMost, 2_500)
  expect(Math.max(...few.sizes)).toBe(3)
})

/** Does something after the first statement, and counts them. */
function interrupted(act: () => Promise<unknown> = async () => {}): Db & { statements: number } {
  const query = async (statement: QueryConfig) => {
    const answer = await database.work.query(statement)
    if (db.statements++ === 0) await act()
    return answer
  }
  const db = { query: query as Db["query"], statements: 0 }
  return db
}

it("where nothing is wanted, the heads are all that is read", async () => {
  const db = interrupted()
  expect(await readWantedLog(db, 0, () => false, megabyte)).toEqual({ items: [], upTo: 1_000 })
  expect(db.statements).toBe(1)
})

it("where all is wanted, and behind the last position, the whole log is to be read", async () => {
  expect(await readWantedLog(database.work, 0, () => true, megabyte)).toBeUndefined()
  expect(await readWantedLog(database.work, all.length, wantsMost, megabyte)).toBeUndefined()
})

it("what changes between two looks at the log is not passed over", async () => {
  const change = "update event_log set type = $1 where position = 9"
  const becoming = (type: string) => interrupted(() => database.work.query(change, [type]))
  const type = all[8]?.type ?? ""
  expect(await readWantedLog(becoming("custom.part6.made"), 0, wantsMost, megabyte)).toBeUndefined()
  expect(await readWantedLog(becoming(type), 0, wantsMost, megabyte)).toBeUndefined()
  const dropped = interrupted(() => database.work.query("delete from event_log where position > 1190"))
  expect(await readWantedLog(dropped, 1_190, wantsMost, megabyte)).toBeUndefined()
})

it("where positions are missing, the whole log is to tell; an event that has just gone is a hole", async () => {
  const [first, second] = [all[0], all[1]]
  await database.work.query("delete from events where id = $1", [second?.id])
  const stretch = await readWantedLog(database.work, 0, wantsMost, 2_500)
  expect(stretch?.items.slice(0, 2)).toEqual([expect.objectContaining({ id: first?.id }), { from: 2, to: 2 }])
  await database.work.query("delete from event_log where position = 2")
  expect(await readWantedLog(database.work, 0, wantsMost, megabyte)).toBeUndefined()
})
