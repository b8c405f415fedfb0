import { expect, onTestFinished, test } from "vitest"
import type { Priority } from "../../src/core/envelope.ts"
import { silentLog } from "../../src/core/log.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import { ClaimLost, type Claim } from "../../src/queue/claim.ts"
import { installQueue } from "../../src/queue/install.ts"
import { createQueue, type Queue } from "../../src/queue/queue.ts"
import { createPool, transaction } from "../../src/store/database.ts"
import { emptyDatabase, testDatabase } from "../support/database.ts"

const database = await testDatabase()
const everywhere: Record<Priority, number> = { critical: 1, high: 1, normal: 1, low: 1 }

async function startQueue(): Promise<Queue> {
  const queue = createQueue({ url: database.url, log: silentLog })
  onTestFinished(() => queue.stop())
  await queue.start()
  return queue
}

/** Takes one claim and holds it until the test lets it go. */
async function takeClaim(queue: Queue): Promise<{ claim: Claim; letGo: (error?: Error) => void }> {
  const held = Promise.withResolvers<void>()
  const taken = Promise.withResolvers<Claim>()
  let isFirst = true
  await queue.work(async (claim) => {
    if (!isFirst) return
    isFirst = false
    taken.resolve(claim)
    await held.promise
  }, everywhere)
  const letGo = (error?: Error) => (error === undefined ? held.resolve() : held.reject(error))
  onTestFinished(() => letGo())
  return { claim: await taken.promise, letGo }
}

test("start and stop may be called by anybody at any time and answer alike", async () => {
  const queue = createQueue({ url: database.url, log: silentLog })
  const started = queue.start()
  expect(queue.start()).toBe(started)
  const stopped = queue.stop()
  expect(queue.stop()).toBe(stopped)
  await stopped
})

test("a job is there if and only if its transaction is", async () => {
  const queue = await startQueue()
  const [kept, gone] = [uuidv7(), uuidv7()]
  const refused = transaction(database.work, async (db) => {
    await queue.enqueue(db, [{ priority: "low", eventIds: [gone] }])
    throw new Error("no")
  })
  await expect(refused).rejects.toThrow("no")
  await transaction(database.work, (db) => queue.enqueue(db, [{ priority: "low", eventIds: [kept] }]))
  const { rows } = await database.work.query("select name, data from pgboss.job")
  expect(rows).toEqual([{ name: "events-low", data: { eventIds: [kept] } }])
  await database.work.query("delete from pgboss.job")
})

test("a job goes to the queue of its priority and reaches a worker as it was", async () => {
  const queue = await startQueue()
  const ids = Array.from({ length: 50 }, () => uuidv7())
  await transaction(database.work, (db) => queue.enqueue(db, [{ priority: "high", eventIds: ids }]))
  const { claim } = await takeClaim(queue)
  expect(claim).toMatchObject({ priority: "high", jobs: [{ retryCount: 0, eventIds: ids }] })
  await queue.complete(database.work, claim)
})

test("whoever lost a claim can neither complete nor renew it", async () => {
  const queue = await startQueue()
  await transaction(database.work, (db) => queue.enqueue(db, [{ priority: "normal", eventIds: [uuidv7()] }]))
  const { claim } = await takeClaim(queue)
  await queue.renew(database.work, claim)
  await database.work.query("update pgboss.job set retry_count = retry_count + 1 where id = $1", [
    claim.jobs[0]?.id,
  ])

  await expect(queue.renew(database.work, claim)).rejects.toThrow(ClaimLost)
  await expect(queue.complete(database.work, claim)).rejects.toThrow(ClaimLost)
  const { rows } = await database.work.query("select state from pgboss.job where id = $1", [
    claim.jobs[0]?.id,
  ])
  expect(rows).toEqual([{ state: "active" }])
})

test("a job whose handler throws comes back as another attempt", async () => {
  const queue = await startQueue()
  const eventIds = [uuidv7()]
  const attempts: number[] = []
  const done = Promise.withResolvers<void>()
  await queue.work(async (claim) => {
    if (claim.jobs[0]?.eventIds[0] !== eventIds[0]) return
    attempts.push(claim.jobs[0]?.retryCount ?? -1)
    if (attempts.length < 3) throw new Error("again")
    await queue.complete(database.work, claim)
    done.resolve()
  }, everywhere)
  await transaction(database.work, (db) => queue.enqueue(db, [{ priority: "critical", eventIds }]))
  await done.promise
  expect(attempts).toEqual([0, 1, 2])
})

test("stopping waits for the work in hand", async () => {
  const queue = createQueue({ url: database.url, log: silentLog })
  await queue.start()
  let isDone = false
  const taken = Promise.withResolvers<void>()
  await queue.work(async (claim) => {
    taken.resolve()
    await new Promise((resolve) => setTimeout(resolve, 300))
    await queue.complete(database.work, claim)
    isDone = true
  }, everywhere)
  await transaction(database.work, (db) => queue.enqueue(db, [{ priority: "low", eventIds: [uuidv7()] }]))
  await taken.promise
  await queue.stop()
  expect(isDone).toBe(true)
})

test("the running queue may not change the schema", async () => {
  const queue = await startQueue()
  await queue.work(() => Promise.resolve(), everywhere)
  const owner = createPool(database.url, { max: 1 })
  onTestFinished(() => owner.end())
  const { rows } = await owner.query(
    "select distinct application_name from pg_stat_activity where datname = current_database() and application_name like '%queue'",
  )
  expect(rows).toEqual([{ application_name: "signalbox queue" }])
  await expect(database.work.query("drop table pgboss.queue")).rejects.toThrow("must be owner")
  await expect(database.work.query("create table pgboss.mine ()")).rejects.toThrow("permission denied")
})

test("the queue can be installed again, and by several at once, without loss", async () => {
  const url = await emptyDatabase()
  await Promise.all([installQueue(url), installQueue(url), installQueue(url)])
  await installQueue(url)
  const pool = createPool(url, { max: 1 })
  try {
    const { rows } = await pool.query(
      "select name, notify, heartbeat_seconds from pgboss.queue where name like 'events-%' order by name",
    )
    expect(rows).toEqual(
      ["critical", "high", "low", "normal"].map((name) => ({
        name: `events-${name}`,
        notify: true,
        heartbeat_seconds: 10,
      })),
    )
  } finally {
    await pool.end()
  }
})
