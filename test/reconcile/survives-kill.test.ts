import { fork, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import type { Source } from "../../src/core/source.ts"
import { reconcileSource } from "../../src/reconcile/reconcile-source.ts"
import type { ReconcileTarget } from "../../src/reconcile/run.ts"
import { hasty } from "./support/hasty.ts"
import { eventsOf, gapsOf, startWorldHub } from "./support/hub-of-world.ts"
import { ledgerOf } from "./support/ledger-of.ts"
import { mortalPool, type Death } from "./support/mortal-pool.ts"
import type { World, WorldDelivery, WorldRecord } from "./support/world.ts"

const hub = await startWorldHub()
const { database } = hub
const forever = new AbortController().signal

/** How a child's run ended; undefined where it was killed before that. */
async function outcomeOf(child: ChildProcess): Promise<string | undefined> {
  let outcome: string | undefined
  child.on("message", (message) => {
    if (typeof message === "string" && message !== "busy") outcome = message
  })
  await once(child, "exit")
  return outcome
}

interface Plan {
  deliveries: {
    came: boolean
    attempts: number
    again: WorldDelivery["again"]
    copy: WorldDelivery["copy"]
  }[]
  records: {
    told: boolean
    known: WorldRecord["known"]
    body: WorldRecord["body"]
    /** Index of the delivery that tells of the same; beyond the last for none. */
    of: number
  }[]
}

const plans: fc.Arbitrary<Plan> = fc.record({
  deliveries: fc.array(
    fc.record({
      came: fc.boolean(),
      attempts: fc.integer({ min: 1, max: 3 }),
      again: fc.constantFrom<WorldDelivery["again"][]>(1, 2, 3, "never", "refused"),
      copy: fc.constantFrom<WorldDelivery["copy"][]>("there", "there", "gone", "unreadable"),
    }),
    { maxLength: 9, size: "max" },
  ),
  records: fc.array(
    fc.record({
      told: fc.boolean(),
      known: fc.constantFrom<WorldRecord["known"][]>("state", "happening", "identity"),
      body: fc.constantFrom<WorldRecord["body"][]>("with it", "by a call", "gone", "unreadable"),
      of: fc.nat(12),
    }),
    { maxLength: 9, size: "max" },
  ),
})

const deaths: fc.Arbitrary<Death[]> = fc.array(
  fc.record({ after: fc.integer({ min: 1, max: 80 }), lastIsDone: fc.boolean() }),
  { minLength: 1, maxLength: 8, size: "max" },
)

/** Makes the world of a plan, and says what must be here in the end, whatever happens on the way. */
async function furnish(world: World, { deliveries, records }: Plan) {
  const events = new Set<string>()
  const gaps: Record<string, string> = {}
  const here = new Set<number>()
  for (const [index, { came, attempts, again, copy }] of deliveries.entries()) {
    const key = `delivery-${index}`
    const delivery: WorldDelivery = {
      key,
      at: new Date(Date.now() - 3_600_000 + index * 1_000),
      entity: `world:thing:${world.url}/${key}`,
      name: "thing:made",
      state: `${key}@1`,
      attempts: Array.from({ length: attempts }, () => "502"),
      again,
      copy,
    }
    world.deliveries.set(key, delivery)
    const canCome = came || copy !== "gone" || (again !== "never" && again !== "refused")
    const isHere = canCome && copy !== "unreadable"
    if (isHere) {
      here.add(index)
      events.add(key)
    }
    if (isHere && came) await world.send(delivery)
    else gaps[`delivery ${key}`] = isHere ? "repaired" : "lost"
  }
  for (const [index, { told, known, body, of }] of records.entries()) {
    const key = `record-${index}`
    const twin = world.deliveries.get(`delivery-${of}`)
    const record: WorldRecord = {
      key,
      at: twin?.at ?? new Date(Date.now() - 1_800_000 + index * 1_000),
      entity: twin?.entity ?? `world:thing:${world.url}/${key}`,
      name: "thing:made",
      state: twin?.state ?? `${key}@1`,
      known,
      body,
    }
    // Two records of one thing would tell of each other; that is for the platform not to do.
    const isFirst = records.findIndex((other) => other.of === of) === index
    if (twin !== undefined && !isFirst) continue
    world.records.set(key, record)
    if (twin === undefined && told && body !== "unreadable") {
      await world.send(record, `webhook of ${key}`)
      events.add(`webhook of ${key}`)
      // Nothing tells whose identity a record has that is gone.
      if (known === "identity" && body === "gone") gaps[`record ${key}`] = "lost"
      continue
    }
    const isTwinHere = twin !== undefined && here.has(of)
    const canTell = known !== "identity" || body === "with it" || body === "by a call"
    if (isTwinHere && canTell) continue
    const isHere = body === "with it" || body === "by a call"
    if (isHere) events.add(key)
    gaps[`record ${key}`] = isHere ? "repaired" : "lost"
  }
  return { events: [...events].toSorted(), gaps }
}

async function found(source: Source) {
  const gaps = Object.entries(await gapsOf(database, source))
  return {
    events: Object.keys(await eventsOf(database, source)).toSorted(),
    gaps: Object.fromEntries(gaps.map(([gap, state]) => [gap, state.replace(/:.*/, "")])),
  }
}

/** Nobody waits in a test for the lease of the dead to run out. */
async function forgetLease({ id }: Source): Promise<void> {
  await database.work.query("update source_completeness set leased_until = null where source_id = $1", [id])
}

const options = { ...hasty, patienceMs: 15, leaseMs: 60_000 }

/** Answers whether death came before the end. */
async function liveUntil(death: Death, target: ReconcileTarget): Promise<boolean> {
  const { pool, isDead } = mortalPool(database.work, death)
  const submit: typeof hub.parts.submit = (submission) => {
    if (isDead()) throw new Error("this process was killed")
    return hub.parts.submit(submission)
  }
  await reconcileSource({ ...hub.parts, pool, submit, options }, target, { signal: forever }).catch(() => {})
  return isDead()
}

async function finish(target: ReconcileTarget): Promise<void> {
  await forgetLease(target.source)
  const outcome = await reconcileSource({ ...hub.parts, options }, target, { signal: forever })
  expect(outcome).toMatchObject({ status: "complete" })
}

test("killed once, after each statement in turn: nothing is different", async () => {
  const plan: Plan = {
    deliveries: [
      { came: false, attempts: 2, again: 1, copy: "there" },
      { came: false, attempts: 1, again: 2, copy: "gone" },
      { came: false, attempts: 1, again: "refused", copy: "there" },
      { came: false, attempts: 1, again: "never", copy: "gone" },
    ],
    records: [
      { told: false, known: "happening", body: "by a call", of: 3 },
      { told: false, known: "state", body: "with it", of: 99 },
      { told: false, known: "identity", body: "with it", of: 99 },
      { told: false, known: "state", body: "gone", of: 99 },
    ],
  }
  for (let after = 1, wasKilled = true; wasKilled; after++) {
    const { world, source, target } = await hub.newWorld()
    world.pageSize = 2
    const expected = await furnish(world, plan)
    wasKilled = await liveUntil({ after, lastIsDone: true }, target)
    await finish(target)
    expect({ after, ...(await found(source)) }).toEqual({ after, ...expected })
  }
}, 180_000)

test("killed at any statement, any number of times: the same events once, the same gaps", async () => {
  await fc.assert(
    fc.asyncProperty(plans, deaths, async (plan, lives) => {
      const { world, source, target } = await hub.newWorld()
      world.pageSize = 3
      const expected = await furnish(world, plan)
      for (const death of lives) {
        await liveUntil(death, target)
        await forgetLease(source)
      }
      await finish(target)
      expect(await found(source)).toEqual(expected)
    }),
    { numRuns: 25 },
  )
}, 180_000)

test("any number of reconcilers at once do what one does", async () => {
  await fc.assert(
    fc.asyncProperty(plans, fc.integer({ min: 2, max: 4 }), async (plan, reconcilers) => {
      const { world, source, target } = await hub.newWorld()
      world.pageSize = 2
      const expected = await furnish(world, plan)
      const parts = { ...hub.parts, options }
      const one = async (): Promise<void> => {
        for (;;) {
          const { status } = await reconcileSource(parts, target, { signal: forever })
          if (status === "complete") return
          expect(status).toBe("busy")
          await forgetLease(source) // takes the source from whoever has it
        }
      }
      const ends = await Promise.allSettled(Array.from({ length: reconcilers }, one))
      expect(ends.filter(({ status }) => status === "fulfilled").length).toBeGreaterThan(0)
      expect(await found(source)).toEqual(expected)
    }),
    { numRuns: 10 },
  )
}, 180_000)

test("kill -9 at any request to the provider: the next process goes on, and in the end nothing is missing", async () => {
  const { world, source, target } = await hub.newWorld()
  const plan: Plan = {
    deliveries: Array.from({ length: 30 }, (_, n) => ({
      came: n % 2 === 0,
      attempts: 1 + (n % 2),
      again: ([1, "never", 2, "refused"] as const)[(n >> 1) % 4]!,
      copy: n === 13 ? "gone" : "there",
    })),
    records: Array.from({ length: 20 }, (_, n) => ({
      told: n % 3 === 0,
      known: (["state", "happening", "identity"] as const)[n % 3]!,
      body: (["with it", "by a call"] as const)[n % 2]!,
      of: 99 + n,
    })),
  }
  const expected = await furnish(world, plan)
  let kills = 0
  let ended: string | undefined
  while (ended === undefined && kills < 10) {
    const child = fork(new URL("support/world-child.ts", import.meta.url), {
      env: {
        ...process.env,
        DATABASE_URL: database.url,
        TARGET: JSON.stringify({ source, apiUrl: target.apiUrl }),
      },
      execArgv: [],
    })
    let left = kills < 6 ? 1 + Math.floor(Math.random() * 25) : Infinity
    world.interfere = () => {
      if (--left === 0) child.kill("SIGKILL")
      return undefined
    }
    ended = await outcomeOf(child)
    if (ended === undefined) kills++
  }
  expect(ended).toBe("complete")
  expect(kills).toBeGreaterThan(0)
  expect(await found(source)).toEqual(expected)
  expect(await ledgerOf(database, source)).toMatchObject({ open: 0, problem: null, running: false })
}, 120_000)
