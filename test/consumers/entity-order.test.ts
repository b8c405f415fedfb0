import { expect, test } from "vitest"
import { createEntityOrder } from "../../src/consumers/entity-order.ts"
import { orderKey } from "../../src/consumers/order-key.ts"
import type { LoggedEvent } from "../../src/core/envelope.ts"
import { readLoggedEvents } from "../../src/store/log-scan.ts"
import { transaction } from "../../src/store/database.ts"
import { subscribe } from "../delivery/machine.ts"
import { testDatabase } from "../support/database.ts"
import { append, eventually } from "./log.ts"

const database = await testDatabase()

test("an event that fails while it is looked what may go on holds up what was found", async () => {
  const { id } = await subscribe(database, "order", "https://receiver.example/", { ordered: true })
  const { rows } = await database.work.query<{ fence: number }>(
    "select fence from subscription_partitions where subscription_id = $1 and partition = 0",
    [id],
  )
  expect(rows).toHaveLength(1)
  const lease = { subscriptionId: id, partition: 0, fence: rows[0]?.fence ?? 0 }
  const of = { type: "order.it.happened", entity: "x:y:a" }
  const ids = await append(database, of, of, of)
  const [first, second, third] = await readLoggedEvents(database.work, ids)
  if (first === undefined || second === undefined || third === undefined) throw new Error("not in the log")
  await database.work.query(
    `insert into event_deliveries (event_id, subscription_id, tenant, partition, position, status, order_key, attempts)
     values ($1, $2, $3, 0, $4, 'held', $5, 0)`,
    [third.id, id, third.tenant, third.position, orderKey(third)],
  )
  const order = createEntityOrder(
    database.work,
    lease,
    () => new Date(),
    () => {},
  )
  const came = (event: LoggedEvent, status: "retrying" | "delivered") =>
    order.decided(work(event), { eventId: event.id, status, attempts: 1, finishedAt: new Date() })

  came(first, "retrying")
  came(first, "delivered")
  let released: Promise<void> | undefined
  await transaction(database.work, async (db) => {
    await db.query("select from subscription_partitions where subscription_id = $1 for update", [id])
    released = order.settled(work(first)) // waits for the lock
    await eventually(waitingForLocks, (count) => count > 0)
    came(second, "retrying")
  })
  await released
  expect(order.mustWait(work(third), order.ticket())).toBe(true)
  expect(order.mustWait(work(second), order.ticket())).toBe(false)
  expect(order.isBlocked(work(third))).toBe(true)
})

const work = (event: LoggedEvent) => ({ event, attempt: 1, replayId: null })

async function waitingForLocks(): Promise<number> {
  const { rowCount } = await database.work.query("select 1 from pg_locks where not granted")
  return rowCount ?? 0
}
