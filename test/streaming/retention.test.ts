import { afterAll, expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { streamServer } from "./support/server.ts"

const database = await testDatabase()
let server = await streamServer(database)

/** A server that remembers nothing of before. */
async function restart(): Promise<void> {
  await server.stop()
  server = await streamServer(database)
}
afterAll(() => server.stop())

const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + 1 + index)

/** Drops events as retention does: log rows and bodies go, in either order. */
async function retire(positions: readonly number[], tables: readonly string[] = ["event_log", "events"]) {
  const { rows } = await database.work.query<{ id: string }>(
    "select event_id as id from event_log where position = any($1)",
    [positions],
  )
  for (const table of tables) {
    const key = table === "events" ? "id" : "event_id"
    await database.work.query(`delete from ${table} where ${key} = any($1::uuid[])`, [
      rows.map(({ id }) => id),
    ])
  }
}

/** What a client is told: `4` for an event, `1-3` for a gap. */
async function told(query: string, until: number, headers: Record<string, string> = {}): Promise<string[]> {
  const client = await server.open(query, headers)
  await client.until(() => Number(client.parser.lastEventId) >= until && client.messages.length > 0)
  client.cut()
  return client.messages.map(({ type, data, lastEventId }) => {
    if (type !== "gap") return lastEventId
    const { from, to }: { from: number; to: number } = JSON.parse(data)
    expect(lastEventId).toBe(String(to))
    return `${from}-${to}`
  })
}

test("a cursor that retention has passed is told what is missing, and goes on from there", async () => {
  await logEvents(database.work, [...range(0, 10).map(() => ({})), { tenant: "acme" }, {}])
  await retire([1, 2, 3, 5, 8])
  expect(await told("?after=0", 12)).toEqual(["1-3", "4", "5-5", "6", "7", "8-8", "9", "10", "12"])
  expect(await told("", 12, { "last-event-id": "2" })).toEqual([
    "3-3",
    "4",
    "5-5",
    "6",
    "7",
    "8-8",
    "9",
    "10",
    "12",
  ])
  expect(await told("?after=3", 12)).toEqual(["4", "5-5", "6", "7", "8-8", "9", "10", "12"])
})

test("the earliest is the first that is left, and no gap comes before it", async () => {
  expect(await told("?after=earliest", 12)).toEqual(["4", "5-5", "6", "7", "8-8", "9", "10", "12"])
})

test("a filter hides events, never a gap; another tenant's event is none", async () => {
  expect(await told("?after=0&types=never.happens&heartbeat=1", 12)).toEqual(["1-3", "5-5", "8-8"])
  expect(await told("?after=8&heartbeat=1", 12, { "x-tenant": "acme" })).toEqual(["11"])
})

test("an event whose body went before its place in the log is missing all the same", async () => {
  await retire([9], ["events"])
  await restart()
  expect(await told("?after=8", 12)).toEqual(["9-9", "10", "12"])
})

test("where everything has been dropped up to the end, that is told too", async () => {
  await retire([10, 11, 12])
  await restart()
  expect(await told("?after=6", 12)).toEqual(["7", "8-12"])
  await retire([4, 6, 7, 9])
  await restart()
  expect(await told("?after=0", 12)).toEqual(["1-12"])
  const client = await server.open("?after=earliest")
  await logEvents(database.work, [{}])
  await client.count(1)
  expect(client.positions()).toEqual([13])
  client.cut()
})

test("a server that wakes up on such a log tells the same from memory as from the store", async () => {
  await logEvents(
    database.work,
    range(0, 5).map(() => ({})),
  )
  await retire([14, 16])
  await restart()
  const store = await told("?after=13", 18)
  const memory = await told("?after=13", 18)
  expect(store).toEqual(["14-14", "15", "16-16", "17", "18"])
  expect(memory).toEqual(store)
})
