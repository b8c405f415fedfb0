import { setTimeout as sleep } from "node:timers/promises"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { streamServer } from "./support/server.ts"

const database = await testDatabase()

const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + 1 + index)

async function head(): Promise<number> {
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  return rows[0]?.position ?? 0
}

const moment = fc.nat({ max: 40 })
const writes = fc.array(fc.record({ at: moment, count: fc.integer({ min: 1, max: 6 }) }), {
  minLength: 1,
  maxLength: 12,
})
const joins = fc.array(fc.record({ at: moment, behind: fc.nat({ max: 700 }), filtered: fc.boolean() }), {
  minLength: 1,
  maxLength: 8,
})

// With the smallest ring nearly everything is handed over from the store, with the largest from memory.
test.each([1, 64 << 10, 32 << 20])(
  "whenever a client comes, history passes into live without gap or repeat (ring of %i bytes)",
  async (ringBytes) => {
    const server = await streamServer(database, { ringBytes })
    await fc.assert(
      fc.asyncProperty(writes, joins, async (writing, joining) => {
        const before = await head()
        const total = writing.reduce((sum, { count }) => sum + count, 1)
        const written = Promise.all(
          writing.map(async ({ at, count }) => {
            await sleep(at)
            await logEvents(
              database.work,
              range(0, count).map((n) => ({ type: `test.thing.${n % 2 === 0 ? "even" : "odd"}` })),
            )
          }),
        ).then(() => logEvents(database.work, [{ type: "test.thing.even" }])) // an end that all are shown
        const seen = await Promise.all(
          joining.map(async ({ at, behind, filtered }) => {
            await sleep(at)
            const after = Math.max(0, before - behind)
            const client = await server.open(`?after=${after}${filtered ? "&types=**.even" : ""}`)
            await client.until(() => Number(client.parser.lastEventId) === before + total)
            client.cut()
            return { after, filtered, positions: client.positions() }
          }),
        )
        await written
        const even = await database.work.query<{ position: number }>(
          "select position from event_log where type = 'test.thing.even' order by position",
        )
        const evens = even.rows.map(({ position }) => position)
        for (const { after, filtered, positions } of seen) {
          const all = range(after, before + total - after)
          expect(positions).toEqual(filtered ? evens.filter((position) => position > after) : all)
        }
      }),
      { numRuns: 40, endOnFailure: true },
    )
    await server.stop()
  },
  60_000,
)
