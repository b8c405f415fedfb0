import { afterEach, expect, test } from "vitest"
import { partitionOf } from "../../src/core/partition-of.ts"
import { createBreaker } from "../../src/delivery/breaker.ts"
import { append, deliveriesOf, eventually } from "../consumers/log.ts"
import { testDatabase } from "../support/database.ts"
import type { EventSpec } from "../support/events.ts"
import { startSending, subscribe } from "./machine.ts"
import { startReceiver } from "./receiver.ts"

const database = await testDatabase()
afterEach(() => database.work.query("delete from stream_subscriptions"))

/** An entity of this one of two partitions. */
function entityIn(partition: number): string {
  const keys = Array.from({ length: 100 }, (_, n) => `x:y:${n}`)
  return keys.find((key) => partitionOf(key, 2) === partition) ?? ""
}

function eventsOf(partition: number): EventSpec[] {
  return Array.from({ length: 20 }, () => ({ type: "shared.it.happened", entity: entityIn(partition) }))
}

test("a breaker opens after different events failed in a row, and probes at growing intervals", () => {
  const breaker = createBreaker(() => 0.5)
  const fail = (event: string, now: number) => {
    breaker.started()
    breaker.failed(event, now, 0)
  }
  for (let round = 0; round < 50; round++) fail("the same", 0)
  expect(breaker.allows(0)).toBe(true)
  for (const event of ["b", "c", "d", "e"]) fail(event, 0)
  expect(breaker.allows(4_999)).toBe(false)
  expect(breaker.asksAgainAt()).toBe(5_000)
  let now = 5_000
  const gaps: number[] = []
  for (let probe = 0; probe < 9; probe++) {
    expect(breaker.allows(now)).toBe(true)
    breaker.started()
    expect(breaker.allows(now)).toBe(false) // one probe at a time
    breaker.failed("e", now, 0)
    gaps.push(breaker.asksAgainAt() - now)
    now = breaker.asksAgainAt()
  }
  expect(gaps).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 640_000, 900_000, 900_000])
  breaker.started()
  breaker.succeeded()
  expect(breaker.allows(now)).toBe(true)
})

test("a receiver that throttles is left alone for as long as it asks", () => {
  const breaker = createBreaker(Math.random)
  breaker.started()
  breaker.failed("a", 1_000, 30_000)
  expect(breaker.allows(30_999)).toBe(false)
  expect(breaker.asksAgainAt()).toBe(31_000)
  expect(breaker.allows(31_000)).toBe(true)
})

test("what one process finds of a receiver holds for the others, and so does that it answers again", async () => {
  let failing = true
  const receiver = await startReceiver(() => (failing ? 500 : 204))
  const { id } = await subscribe(database, "shared", receiver.url, {
    partitions: 2,
    retrySchedule: Array(30).fill(0),
  })
  await startSending(database)
  await startSending(database)
  const owners = async () => {
    const { rows } = await database.work.query<{ lease_owner: string | null }>(
      "select distinct lease_owner from subscription_partitions where subscription_id = $1",
      [id],
    )
    return rows.filter((row) => row.lease_owner !== null).length
  }
  await eventually(owners, (count) => count === 2)
  await append(database, ...eventsOf(0))
  await eventually(
    async () => {
      const { rows } = await database.work.query("select from webhook_health where probe_interval_ms > 0")
      return rows.length
    },
    (count) => count === 1,
  )
  await new Promise((resolve) => setTimeout(resolve, 500)) // the other one hears of it
  await append(database, ...eventsOf(1))
  await eventually(
    () => deliveriesOf(database, "shared"),
    (rows) => rows.length === 40,
  )
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  // On its own it would have tried five and more; a probe may have been its.
  const ofTheOther = receiver.received.filter(({ json }) => json.entity === entityIn(1))
  expect(ofTheOther.length).toBeLessThanOrEqual(2)
  failing = false
  await eventually(
    () => deliveriesOf(database, "shared"),
    (rows) => rows.every(({ status }) => status === "delivered"),
    60_000,
  )
}, 120_000)

test("a breaker heeds another's findings, and closes only what was open", () => {
  const breaker = createBreaker(() => 0.5)
  breaker.adopt({ restMs: 8_000, intervalMs: 10_000 }, 1_000)
  expect(breaker.allows(8_999)).toBe(false)
  expect(breaker.allows(9_000)).toBe(true)
  breaker.started()
  breaker.adopt({ restMs: 0, intervalMs: 0 }, 9_000)
  expect(breaker.allows(9_000)).toBe(false) // its own probe tells
  breaker.failed("a", 9_100, 0)
  expect(breaker.rest(9_100)).toEqual({ restMs: 20_000, intervalMs: 20_000 })
  breaker.adopt({ restMs: 0, intervalMs: 0 }, 9_200)
  expect(breaker.allows(9_200)).toBe(true)
  for (const event of ["a", "b", "c", "d"]) breaker.failed(event, 9_300, 0)
  breaker.adopt({ restMs: 0, intervalMs: 0 }, 9_300)
  breaker.failed("e", 9_300, 0)
  expect(breaker.allows(9_300)).toBe(false)
})
