import { setTimeout as sleep } from "node:timers/promises"
import { expect, it } from "vitest"
import { createSharedHistory } from "../../src/groups/shared-history.ts"
import { transaction, type Db } from "../../src/store/database.ts"
import { createView } from "../../src/streaming/view.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { until } from "../support/hub.ts"

const database = await testDatabase()

/** Sessions that wait to read the log. */
async function waiting(db: Db): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    "select count(*) as count from pg_locks where relation = 'event_log_head'::regclass and not granted",
  )
  return rows[0]?.count ?? 0
}

it("who is far behind takes few connections, and tenants take turns", async () => {
  await logEvents(
    database.work,
    Array.from({ length: 14 }, () => ({})),
  )
  const history = createSharedHistory(database)
  const order: string[] = []
  const read = async (tenant: string, after: number): Promise<void> => {
    await history.page(createView(tenant, []), after, { owner: "process", most: 100 })
    order.push(tenant)
  }
  const reads = await transaction(database.work, async (db) => {
    await db.query("lock table event_log_head in access exclusive mode")
    const many = Array.from({ length: 12 }, async (_, after) => read("many", after))
    const all = Promise.all([...many, read("one", 12)])
    await until(
      async () => waiting(db),
      (count) => count > 0,
    )
    await sleep(500) // and no more come
    expect(await waiting(db)).toBe(2)
    return { all }
  })
  await reads.all
  expect(order).toHaveLength(13)
  expect(order.indexOf("one")).toBeLessThan(4)
})
