import { expect, test, vi } from "vitest"
import { uuidv7 } from "../../src/core/uuid.ts"
import { createMaintenance, makePartitions } from "../../src/store/maintenance.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"

const database = await testDatabase()

function firstOfMonth(ahead: number): Date {
  const now = new Date()
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1))
}

function suffix(ahead: number): string {
  return firstOfMonth(ahead).toISOString().slice(0, 7).replace("-", "_")
}

async function insertEvent(at: Date): Promise<string> {
  const id = uuidAt(at)
  await logEvents(database.work, [{ id, receivedAt: at }])
  return id
}

// Made by hand: uuidv7 never goes back in time within a process.
function uuidAt(at: Date): string {
  const time = at.getTime().toString(16).padStart(12, "0")
  return `${time.slice(0, 8)}-${time.slice(8)}-${uuidv7().slice(14)}`
}

async function partitionOf(id: string): Promise<string | undefined> {
  const { rows } = await database.work.query<{ partition: string }>(
    "select tableoid::regclass::text as partition from events where id = $1",
    [id],
  )
  return rows[0]?.partition
}

test("an event lies in the partition of its month, to the millisecond", async () => {
  const month = firstOfMonth(1)
  expect(await partitionOf(await insertEvent(month))).toBe(`events_${suffix(1)}`)
  expect(await partitionOf(await insertEvent(new Date(month.getTime() - 1)))).toBe(`events_${suffix(0)}`)
  expect(await partitionOf(await insertEvent(firstOfMonth(-1)))).toBe(`events_${suffix(-1)}`)
})

test("events of months without a partition are kept, and moved when it is made", async () => {
  const first = await insertEvent(firstOfMonth(4))
  const last = await insertEvent(new Date(firstOfMonth(5).getTime() - 1))
  const later = await insertEvent(firstOfMonth(5))
  expect(await partitionOf(first)).toBe("events_default")

  expect(await makePartitions(database.work, 4)).toBe(12) // one for each partitioned table
  expect(await partitionOf(first)).toBe(`events_${suffix(4)}`)
  expect(await partitionOf(last)).toBe(`events_${suffix(4)}`)
  expect(await partitionOf(later)).toBe("events_default")
  expect(await makePartitions(database.work, 4)).toBe(0)
})

test("several processes may make partitions at once", async () => {
  const made = await Promise.all([1, 2, 3].map(() => makePartitions(database.work, 6)))
  expect(made.reduce((sum, count) => sum + count)).toBe(24)
})

test("bodies of new partitions are stored as those of the first", async () => {
  const { rows } = await database.work.query<{ ways: number; partitions: number }>(
    `select count(distinct (attstorage, attcompression))::int as ways, count(*)::int as partitions
     from pg_attribute a join pg_inherits i on i.inhrelid = a.attrelid
     where i.inhparent = 'events'::regclass and attname = 'raw'`,
  )
  expect(rows).toEqual([{ ways: 1, partitions: 9 }]) // months -1 to 6, and the default
})

test("a busy table fails a round without harm, and the next one makes up for it", async () => {
  const reader = await database.work.connect()
  try {
    await reader.query("begin")
    await reader.query("select count(*) from events")
    const errors: unknown[] = []
    await using maintenance = createMaintenance({
      db: database.work,
      ahead: 7,
      retryMs: 10,
      onError: (error) => errors.push(error),
    })
    maintenance.start()
    await vi.waitFor(() => expect(errors).toMatchObject([{ code: "55P03" }]), { timeout: 10_000 })
    await reader.query("commit")
    await vi.waitFor(
      async () => {
        const id = await insertEvent(firstOfMonth(7))
        expect(await partitionOf(id)).toBe(`events_${suffix(7)}`)
      },
      { timeout: 10_000 },
    )
  } finally {
    reader.release()
  }
})
