import * as fc from "fast-check"
import { expect, test } from "vitest"
import type { LoggedEvent } from "../../src/core/envelope.ts"
import { assign } from "../../src/consumers/assignment.ts"
import { coalesce } from "../../src/consumers/coalesce.ts"
import { createLane } from "../../src/consumers/lane.ts"
import { createLogWindow } from "../../src/consumers/log-window.ts"
import { retryDelay, retryPolicy } from "../../src/consumers/retry-policy.ts"
import { createWaker } from "../../src/consumers/waker.ts"
import type { Hole } from "../../src/store/log-pages.ts"

test("members that see the same come to shares that are even, apart and complete", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 20 }),
      fc.uuid(),
      (members, partitions, subscriptionId) => {
        const states = Array.from({ length: partitions }, (_, partition) => ({
          subscriptionId,
          partition,
          fence: 1,
          owner: null,
          active: true,
          dueAt: null,
        }))
        const shares = members.map(
          (member) =>
            assign({
              member,
              members: members.map((id) => ({ id, subscriptions: [subscriptionId] })),
              partitions: states,
              held: new Map(),
              leaving: new Set(),
            }).take.length,
        )
        expect(shares.reduce((sum, share) => sum + share)).toBe(partitions)
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1)
      },
    ),
  )
})

test("what a member is giving back already is not made up for by giving back more", () => {
  const subscriptionId = "consumer"
  const assignment = assign({
    member: "a",
    members: ["a", "b"].map((id) => ({ id, subscriptions: [subscriptionId] })),
    partitions: [0, 1, 2, 3].map((partition) => ({
      subscriptionId,
      partition,
      fence: 1,
      owner: "a",
      active: true,
      dueAt: null,
    })),
    held: new Map([0, 1, 2, 3].map((partition) => [`${subscriptionId}/${partition}`, 1])),
    leaving: new Set([`${subscriptionId}/0`, `${subscriptionId}/1`]),
  })
  expect(assignment).toEqual({ take: [], release: [], forget: [], lost: [] })
})

test("a member drops what was taken over, takes what it holds unawares, and gives back what is more than its share", () => {
  const subscriptionId = "consumer"
  const state = (partition: number, fence: number, owner: string) => ({
    subscriptionId,
    partition,
    fence,
    owner,
    active: true,
    dueAt: null,
  })
  const assignment = assign({
    member: "a",
    members: ["a", "b"].map((id) => ({ id, subscriptions: [subscriptionId] })),
    partitions: [state(0, 2, "b"), state(1, 1, "a"), state(2, 7, "a"), state(3, 8, "a")],
    held: new Map([
      [`${subscriptionId}/0`, 1],
      [`${subscriptionId}/1`, 1],
      ["deleted/0", 1],
    ]),
    leaving: new Set(),
  })
  expect(assignment).toMatchObject({
    take: [{ partition: 2, fence: 7 }],
    release: [],
    forget: [{ partition: 3, fence: 8 }],
    lost: [`${subscriptionId}/0`, "deleted/0"],
  })
})

test("a lane keeps the order of each key whatever the runs take, and never exceeds its width", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ key: fc.constantFrom("a", "b", "c"), turns: fc.nat(4) }), { maxLength: 30 }),
      fc.integer({ min: 1, max: 4 }),
      async (items, concurrency) => {
        const started = new Map<string, number[]>()
        const settled: number[] = []
        const running: string[] = []
        const lane = createLane<{ key: string; turns: number; n: number }, number>({
          concurrency,
          lowWater: 4,
          laterLowWater: 4,
          maxUnsettled: 4,
          maxBytes: 10,
          sizeOf: ({ turns }) => turns,
          keyOf: ({ key }) => key,
          ready: () => true,
          onLaterRoom: () => {},
          async run({ key, turns, n }) {
            expect(running).not.toContain(key)
            running.push(key)
            expect(running.length).toBeLessThanOrEqual(concurrency)
            started.set(key, [...(started.get(key) ?? []), n])
            for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate)
            running.splice(running.indexOf(key), 1)
            return n
          },
          async settle(_, n) {
            await new Promise(setImmediate)
            settled.push(n)
          },
        })
        let pushed = 0
        for (const [n, item] of items.entries()) {
          await lane.room()
          const waiting = pushed - [...started.values()].flat().length
          expect(waiting).toBeLessThan(4)
          pushed++
          lane.push([{ ...item, n }])
        }
        await lane.idle()
        expect(settled.toSorted((x, y) => x - y)).toEqual([...items.keys()])
        for (const numbers of started.values()) expect(numbers).toEqual(numbers.toSorted((x, y) => x - y))
      },
    ),
    { numRuns: 50 },
  )
})

test("a window hands every reader every position once, wherever he starts and however small the pages", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }),
      fc.array(fc.nat(60), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 7 }),
      fc.nat(20_000),
      async (kept, starts, pageSize, maxItems, maxBytes) => {
        const log = kept.map((there, index): LoggedEvent | Hole =>
          there
            ? ({ position: index + 1, id: `${index + 1}`, raw: Buffer.alloc(3) } as LoggedEvent)
            : { from: index + 1, to: index + 1 },
        )
        const { read } = createLogWindow(
          async (after) => {
            const items = log.slice(after, after + pageSize)
            await new Promise(setImmediate)
            return { items, upTo: after + items.length }
          },
          { maxItems, maxBytes },
        )
        await Promise.all(
          starts.map(async (start) => {
            const from = Math.min(start, log.length)
            const seen: (LoggedEvent | Hole)[] = []
            for (let position = from; ;) {
              const { items, upTo } = await read(position)
              seen.push(...items)
              if (upTo === position) break
              position = upTo
            }
            expect(seen).toEqual(log.slice(from))
          }),
        )
      },
    ),
    { numRuns: 100 },
  )
})

test("who lags behind a window reads what he may want and no more, and gets the whole log where that says nothing", async () => {
  const log = Array.from(
    { length: 60 },
    (_, index) =>
      ({
        position: index + 1,
        id: `${index + 1}`,
        type: `${index % 3}`,
        raw: Buffer.alloc(3),
      }) as LoggedEvent,
  )
  const whole: number[] = []
  const stretchOf = (after: number, items: LoggedEvent[]) => ({
    items: items.filter(({ position }) => position > after && position <= after + 10),
    upTo: Math.min(after + 10, log.length),
  })
  const { read } = createLogWindow(
    async (after) => {
      whole.push(after)
      return stretchOf(after, log)
    },
    {
      maxBytes: 15 * (2 * 3 + 2048),
      readWanted: async (after, mayWant) =>
        after === 20
          ? undefined
          : stretchOf(
              after,
              log.filter((event) => mayWant(event)),
            ),
    },
  )
  for (let position = 0; position < 60;) position = (await read(position)).upTo
  whole.length = 0
  const seen: LoggedEvent[][] = []
  for (let position = 0; position < 60;) {
    const { items, upTo } = await read(position, ({ type }) => type === "0")
    seen.push(items as LoggedEvent[])
    position = upTo
  }
  const types = seen.map((items) => [...new Set(items.map(({ type }) => type))].toSorted().join(""))
  expect(types).toEqual(["0", "0", "012", "0", "0", "012"]) // the last from the window
  expect(seen.flat().filter(({ type }) => type === "0")).toHaveLength(20)
  expect(whole).toEqual([20])
})

test("a window counts what small events and holes take in memory, and lets go of the oldest", async () => {
  const log = Array.from({ length: 400 }, (_, index): LoggedEvent | Hole =>
    index < 200
      ? ({ position: index + 1, id: `${index + 1}`, raw: Buffer.alloc(59) } as LoggedEvent)
      : { from: index + 1, to: index + 1 },
  )
  const asked: number[] = []
  const { read } = createLogWindow(
    async (after) => {
      asked.push(after)
      return { items: log.slice(after, after + 1), upTo: Math.min(after + 1, log.length) }
    },
    { maxBytes: 10 * (2 * 59 + 2048) },
  )
  for (let position = 0; position < 200;) position = (await read(position)).upTo
  asked.length = 0
  expect((await read(190)).items).toEqual(log.slice(190, 200))
  expect(asked).toEqual([])
  await read(189)
  expect(asked).toEqual([189])

  for (let position = 200; position < 400;) position = (await read(position)).upTo
  asked.length = 0
  expect((await read(390)).items).toEqual(log.slice(390))
  expect(asked).toEqual([])
  await read(250)
  expect(asked).toEqual([250])
})

test("the end of a window is looked for once, and again when the log may have grown", async () => {
  let reads = 0
  let gate = Promise.withResolvers<void>()
  let head = 0
  const window = createLogWindow(async (after) => {
    reads++
    const upTo = Math.max(after, head)
    await gate.promise
    return { items: [], upTo }
  })
  const early = window.read(0)
  head = 5
  window.refresh()
  const late = window.read(0) // the one under way looked before the growth
  gate.resolve()
  expect([(await early).upTo, (await late).upTo, reads]).toEqual([0, 5, 2])
  expect((await window.read(5)).upTo).toBe(5)
  expect((await window.read(5)).upTo).toBe(5)
  expect(reads).toBe(3)
  head = 6
  gate = Promise.withResolvers()
  gate.resolve()
  window.refresh()
  expect((await window.read(5)).upTo).toBe(6)
})

test("an item that the database refuses fails alone", async () => {
  const batches: number[] = []
  const send = coalesce<number, number>(async (items) => {
    batches.push(items.length)
    if (items.includes(13)) throw new TypeError("not that one")
    return items.map((item) => item * 2)
  }, 100)
  const results = await Promise.allSettled([1, 13, 3].map(send))
  expect(results.map((result) => (result.status === "fulfilled" ? result.value : result.status))).toEqual([
    2,
    "rejected",
    6,
  ])
  expect(batches).toEqual([3, 1, 1, 1])
})

test("waits grow from the first to the longest, and chance only shortens them", () => {
  const policy = retryPolicy()
  expect([1, 2, 3, 6, 7, 20].map((attempt) => retryDelay(policy, attempt, 0))).toEqual([
    1_000, 2_000, 4_000, 32_000, 60_000, 60_000,
  ])
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (attempt, chance) => {
        const delay = retryDelay(policy, attempt, chance)
        expect(delay).toBeLessThanOrEqual(60_000)
        expect(delay).toBeGreaterThanOrEqual(500)
      },
    ),
  )
})

test("a waker that is woken before it sleeps does not sleep", async () => {
  const waker = createWaker()
  waker.wake()
  await waker.sleep(Infinity)
  const asleep = waker.sleep(Infinity).then(() => "woken")
  const still = new Promise((resolve) => setTimeout(resolve, 10, "asleep"))
  expect(await Promise.race([asleep, still])).toBe("asleep")
  waker.wake()
  expect(await asleep).toBe("woken")
})
