import { afterEach, expect, onTestFinished, test } from "vitest"
import { createConsumers, type Consumers } from "../../src/consumers/create-consumers.ts"
import type { Gap } from "../../src/consumers/definition.ts"
import { silentLog } from "../../src/core/log.ts"
import { logHead } from "../../src/store/log-pages.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { eventually, handler, readerOf } from "./log.ts"
import { dropFromLog } from "./retention.ts"

const database = await testDatabase()
afterEach(() => database.work.query("delete from stream_subscriptions"))

function machine(): Consumers {
  const consumers = createConsumers({ database, read: readerOf(database), log: silentLog, beatMs: 50 })
  onTestFinished(() => consumers.stop())
  return consumers
}

/** Six events of which retention has dropped the third and the fourth; answers the position before the first. */
async function logWithGap(): Promise<number> {
  const start = await logHead(database.work)
  await logEvents(
    database.work,
    Array.from({ length: 6 }, () => ({})),
  )
  await dropFromLog(database, [start + 3, start + 4])
  return start
}

const gapAfter = (start: number): Gap => ({ from: start + 3, to: start + 4, partition: 0 })

test("a handler is told of a gap before anything behind it, and once, though its process ends", async () => {
  const start = await logWithGap()
  const told: (number | Gap)[] = []
  const definition = handler("told", ({ position }) => void told.push(position), {
    from: start,
    onGap: (gap) => void told.push(gap),
  })
  const first = machine()
  first.add(definition)
  await first.start()
  await eventually(
    () => told.length,
    (count) => count === 5,
  )
  await first.stop()
  const gap = gapAfter(start)
  expect(told.filter((one) => typeof one !== "number")).toEqual([gap])
  const behind = told.slice(told.findIndex((one) => typeof one !== "number"))
  expect(behind).toEqual(expect.arrayContaining([start + 5, start + 6]))

  const second = machine()
  second.add(definition)
  await second.start()
  await logEvents(database.work, [{}])
  await eventually(
    () => told.length,
    (count) => count === 6,
  )
  expect(told.at(-1)).toBe(start + 7)
})

test("a handler that fails at being told is told again, and gets nothing behind the gap before", async () => {
  const start = await logWithGap()
  const told: (number | string)[] = []
  const consumers = machine()
  consumers.add(
    handler("fails", ({ position }) => void told.push(position), {
      from: start,
      onGap: () => {
        told.push("gap")
        if (told.filter((one) => one === "gap").length < 3) throw new Error("not now")
      },
    }),
  )
  await consumers.start()
  await eventually(
    () => told.length,
    (count) => count === 7,
  )
  expect(told.filter((one) => one === "gap")).toHaveLength(3)
  expect(told.slice(-2)).toEqual([start + 5, start + 6])
})

test("a handler that goes on failing at being told is left alone for longer each time", async () => {
  const start = await logWithGap()
  const toldAt: number[] = []
  const consumers = machine()
  consumers.add(
    handler("goes on failing", () => {}, {
      from: start,
      onGap: () => {
        toldAt.push(performance.now())
        throw new Error("not now")
      },
    }),
  )
  await consumers.start()
  await eventually(
    () => toldAt.length,
    (count) => count === 5,
  )
  const [, , , before = 0, last = 0] = toldAt
  expect(last - before).toBeGreaterThan(600) // 100, 200, 400, 800
})

test("a handler that does not come back from being told is told again when its time is up", async () => {
  const start = await logWithGap()
  const told: (number | string)[] = []
  const consumers = machine()
  consumers.add(
    handler("hangs", ({ position }) => void told.push(position), {
      from: start,
      timeoutMs: 100,
      onGap: () => {
        told.push("gap")
        const isFirst = told.filter((one) => one === "gap").length === 1
        return isFirst ? new Promise(() => {}) : undefined
      },
    }),
  )
  await consumers.start()
  await eventually(
    () => told.length,
    (count) => count === 6,
  )
  expect(told.filter((one) => one === "gap")).toHaveLength(2)
  expect(told.slice(-3)).toEqual(["gap", start + 5, start + 6])
})

test("each share of a handler that missed the gap is told of it", async () => {
  const start = await logWithGap()
  const shares: number[] = []
  const consumers = machine()
  consumers.add(
    handler("shares", () => {}, {
      from: start,
      partitions: 3,
      onGap: ({ partition }) => void shares.push(partition),
    }),
  )
  await consumers.start()
  await eventually(
    () => shares.length,
    (count) => count === 3,
  )
  expect(shares.toSorted((a, b) => a - b)).toEqual([0, 1, 2])
})

test("a callback without a name is told of a gap in its place", async () => {
  const start = await logWithGap()
  const told: (number | Gap)[] = []
  const consumers = machine()
  await consumers.start()
  consumers.follow({
    ...handler("callback", ({ position }) => void told.push(position)),
    from: start,
    onGap: (gap) => {
      told.push(gap)
      throw new Error("it is told once all the same")
    },
  })
  await eventually(
    () => told.length,
    (count) => count === 5,
  )
  expect(told).toEqual([start + 1, start + 2, gapAfter(start), start + 5, start + 6])
})

test("a callback without a name that does not come back from being told gets what is behind the gap", async () => {
  const start = await logWithGap()
  const told: (number | Gap)[] = []
  const consumers = machine()
  await consumers.start()
  consumers.follow({
    ...handler("callback", ({ position }) => void told.push(position)),
    from: start,
    timeoutMs: 100,
    onGap: (gap) => {
      told.push(gap)
      return new Promise(() => {})
    },
  })
  await eventually(
    () => told.length,
    (count) => count === 5,
  )
  expect(told).toEqual([start + 1, start + 2, gapAfter(start), start + 5, start + 6])
})
