import * as fc from "fast-check"
import { expect, onTestFinished, test } from "vitest"
import { systemClock } from "../../src/core/clock.ts"
import type { Correlated } from "../../src/core/correlate.ts"
import type { StoredEvent } from "../../src/core/envelope.ts"
import { silentLog } from "../../src/core/log.ts"
import type { Normalized, Platform } from "../../src/core/platform.ts"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import { platforms } from "../../src/platforms/index.ts"
import { createProcessor } from "../../src/processing/processor.ts"
import { transaction } from "../../src/store/database.ts"
import { insertEvents } from "../../src/store/events.ts"
import { startProcessor, startQueue, untilLogged } from "../processing/support.ts"
import { testDatabase } from "../support/database.ts"
import { history } from "./generated-history.ts"
import { eventsOf, graphOf } from "./history-graph.ts"

const budgetMs = Number(process.env["SIGNALBOX_HISTORIES_MS"] ?? 25_000)
const seed = Number(process.env["SIGNALBOX_HISTORIES_SEED"] ?? Date.now() % 2 ** 31)

const database = await testDatabase()
const correlation = createCorrelation({ platforms })

// SIGNALBOX_HISTORIES_MS lets it go on for longer, SIGNALBOX_HISTORIES_SEED begins with the seed that a failure
// prints. A seed brings back the histories, their orders and their jobs; how the workers take turns is chance.

/** Rules and platforms of another time: they find less, and other things, and mistake how all stood. */
const former = {
  platforms: platforms.map((platform): Platform => ({
    ...platform,
    normalize: (message) => {
      const normalized = platform.normalize(message)
      const wrong = {
        entity: "github:pull_request_id:700100#1",
        at: new Date("2030-01-01"),
        fields: { body: "" },
      }
      return { ...normalized, title: null, states: normalized.entity === null ? [] : [wrong] }
    },
  })),
  correlate: (event: StoredEvent, normalized: Normalized): Correlated => {
    const { references, links } = correlation.correlate(event, normalized)
    const kept = links.filter(({ rule }) => rule !== "mention")
    return {
      references: references.slice(1),
      links: kept.map((link) => ({ ...link, ruleVersion: 2, strength: "strong", relation: "related" })),
    }
  },
}

/** An order of work: how events are shuffled, repeated and parted into jobs. */
const scramble = fc.record({
  order: fc.infiniteStream(fc.nat()),
  repeats: fc.infiniteStream(fc.constantFrom(1, 1, 1, 2, 3)),
  jobSizes: fc.infiniteStream(fc.constantFrom(1, 1, 2, 3, 7)),
})

function take(stream: fc.Stream<number>, count: number): number[] {
  return [...stream.take(count)]
}

function isFirst<T>(item: T, index: number, items: readonly T[]): boolean {
  return items.indexOf(item) === index
}

/** Items in another order, each as often as it is said. */
function shuffled<T>(items: readonly T[], order: fc.Stream<number>, repeats: fc.Stream<number>): T[] {
  const counts = take(repeats, items.length)
  const all = items.flatMap((item, index) => Array.from({ length: counts[index] ?? 1 }, () => item))
  const keys = take(order, all.length)
  return all
    .map((item, index) => ({ item, key: keys[index] ?? 0 }))
    .toSorted((one, other) => one.key - other.key)
    .map(({ item }) => item)
}

function parted<T>(items: readonly T[], sizes: fc.Stream<number>): T[][] {
  const parts: T[][] = []
  for (let from = 0; from < items.length;) {
    const [size = 1] = take(sizes, 1)
    parts.push(items.slice(from, from + size))
    from += size
  }
  return parts
}

test(
  "a history shows the same entities, links and timelines in whatever order, however often, and derived anew",
  { timeout: budgetMs + 60_000 },
  async () => {
    const platformsAndRules = { platforms, correlate: correlation.correlate }
    const workers = { critical: 0, high: 0, normal: 2, low: 0 }
    const { queue, processor } = await startProcessor(database, { ...platformsAndRules, workers })
    const other = { ...platformsAndRules, workers, queue: await startQueue(database) }
    const processors = [processor, (await startProcessor(database, other)).processor]
    const formerly = createProcessor({ database, queue, clock: systemClock, log: silentLog, ...former })
    onTestFinished(() => formerly.stop())
    let runs = 0

    /** Each slice at one of the processors, so that two are derived at a time. */
    async function deriveAnew(slices: readonly (readonly string[])[]): Promise<void> {
      const doing = processors.map(async ({ reprocess }, turn) => {
        for (const [index, slice] of slices.entries()) {
          if (index % processors.length !== turn) continue
          expect(await reprocess(slice)).toMatchObject({ failed: [] })
        }
      })
      await Promise.all(doing)
    }

    await fc.assert(
      fc.asyncProperty(history, scramble, async (arrivals, { order, repeats, jobSizes }) => {
        runs++
        const plain = eventsOf(arrivals, `${runs}a`)
        const mixed = eventsOf(arrivals, `${runs}b`)
        const mixedIds = mixed.map(({ id }) => id)
        const disorder = () => parted(shuffled(mixedIds, order, repeats), jobSizes)
        const jobs = [...plain.map(({ id }) => [id]), ...disorder()]
        await transaction(database.work, (db) => insertEvents(db, [...plain, ...mixed]))
        await queue.enqueue(
          database.work,
          jobs.map((eventIds) => ({ priority: "normal", eventIds })),
        )
        // What is in the log by then is derived anew beside the workers.
        await Promise.all([untilLogged(database, jobs.flat().filter(isFirst)), deriveAnew(disorder())])
        const expected = await graphOf(database, plain)
        expect(await graphOf(database, mixed)).toEqual(expected)

        // Half of it is told as other rules and platforms would have it, and then again as these do.
        for (const slice of disorder().filter((_, index) => index % 2 === 0)) await formerly.reprocess(slice)
        await deriveAnew(disorder())
        expect(await graphOf(database, mixed)).toEqual(expected)
      }),
      { seed, numRuns: 100_000, interruptAfterTimeLimit: budgetMs },
    )
    expect(runs).toBeGreaterThan(3)
  },
)
