import { expect, it } from "vitest"
import { logEvents } from "../support/events.ts"
import { startTestHub } from "../support/hub.ts"

const { database, json } = await startTestHub()

const page = async (query: string) => {
  const { status, body } = await json(`/api/v1/events?${query}`)
  const events: { position: number }[] = body.events ?? []
  return { status, body, positions: events.map(({ position }) => position) }
}

/** Drops events as retention does: the places in the log, the bodies, or both. */
async function retire(positions: readonly number[], tables: readonly string[] = ["event_log", "events"]) {
  const { rows } = await database.work.query<{ id: string }>(
    "select event_id as id from event_log where position = any($1)",
    [positions],
  )
  for (const table of tables) {
    const key = table === "events" ? "id" : "event_id"
    const ids = rows.map(({ id }) => id)
    await database.work.query(`delete from ${table} where ${key} = any($1::uuid[])`, [ids])
  }
}

it("a consumer that pulls gets what follows its position, and where to go on", async () => {
  expect((await page("after=latest")).body).toEqual({ events: [], nextCursor: null, position: 0 })
  await logEvents(database.work, [
    ...Array.from({ length: 5 }, (_, n) => ({ type: n % 2 === 0 ? "pull.even" : "pull.odd" })),
    { tenant: "acme" },
  ])
  const first = await page("after=0&limit=2")
  expect([first.positions, first.body.position]).toEqual([[1, 2], 2])
  const second = await page(`after=0&limit=2&cursor=${first.body.nextCursor}`)
  expect([second.positions, second.body.position]).toEqual([[3, 4], 4])
  const rest = await page("after=4")
  expect([rest.positions, rest.body.position, rest.body.nextCursor]).toEqual([[5], 6, null])
  expect((await page("after=6")).body).toEqual({ events: [], nextCursor: null, position: 6 })
  const odd = await page("after=0&types=pull.odd")
  expect([odd.positions, odd.body.position]).toEqual([[2, 4], 6])
})

it("what makes no sense is refused", async () => {
  for (const query of ["after=", "after=-1", "after=1.5", "after=1e3", "after=1&order=newest"]) {
    expect([query, (await page(query)).status]).toEqual([query, 400])
  }
  expect((await page("after=7")).body).toMatchObject({ code: "conflict", status: 409 })
})

it("a cursor that retention has passed is told what is missing, and never jumped", async () => {
  await logEvents(
    database.work,
    Array.from({ length: 6 }, () => ({ type: "pull.later" })),
  ) // 7 to 12
  await retire([1, 2, 3, 8])
  const missing = async (query: string) => (await page(query)).body
  expect(await missing("after=0")).toMatchObject({ code: "gone", status: 410, missing: { from: 1, to: 3 } })
  expect(await missing("after=1&types=pull.odd")).toMatchObject({ missing: { from: 2, to: 3 } })
  const before = await page("after=3")
  expect([before.positions, before.body.position]).toEqual([[4, 5, 7], 7])
  expect(await missing(`after=3&cursor=${before.body.nextCursor}`)).toMatchObject({
    missing: { from: 8, to: 8 },
  })
  const behind = await page("after=8")
  expect([behind.positions, behind.body.nextCursor]).toEqual([[9, 10, 11, 12], null])
  expect((await page("after=earliest&limit=1")).positions).toEqual([4])
  // Within a page that a filter leaves empty, too.
  const filtered = await page("after=4&types=nothing.of.it")
  expect([filtered.positions, filtered.body.position]).toEqual([[], 7])
  // A list of what there is lists what there is.
  expect((await page("order=oldest")).positions).toEqual([4, 5, 7, 9, 10, 11, 12])
})

it("an event whose body went before its place in the log is missing all the same", async () => {
  await retire([10], ["events"])
  const before = await page("after=8&limit=1")
  expect([before.positions, before.body.position]).toEqual([[9], 9])
  expect((await page("after=8")).positions).toEqual([9])
  expect((await page("after=9")).body).toMatchObject({ code: "gone", missing: { from: 10, to: 10 } })
})

it("where all is gone to the end of the log, that is told in one piece", async () => {
  await retire([9, 10, 11, 12])
  expect((await page("after=8")).body).toMatchObject({ missing: { from: 9, to: 12 } })
  await retire([4, 5, 6, 7])
  expect((await page("after=0")).body).toMatchObject({ missing: { from: 1, to: 12 } })
  expect((await page("after=12")).body).toEqual({ events: [], nextCursor: null, position: 12 })
})
