import { expect, it } from "vitest"
import { testDatabase } from "../support/database.ts"
import { adminKey } from "../support/hub.ts"
import { createChance } from "./chance.ts"
import { faultsIn } from "./faults-in.ts"
import { planFault } from "./faults.ts"
import { judge } from "./verdict.ts"
import { runCuts } from "./run-cuts.ts"
import { sightings } from "./observers/observer.ts"

// A part of what `npm run cuts` does, and with the seed of a run that failed the same faults again.
const cuts = Number(process.env["CUTS"] ?? 120)
const seed = Number(process.env["CUTS_SEED"] ?? Math.floor(Math.random() * 2 ** 31))

it(`cut off ${cuts} times, with kills of nodes between, every consumer sees every event (CUTS_SEED=${seed})`, async () => {
  const database = await testDatabase()
  const report = await runCuts({ databaseUrl: database.url, pool: database.work, key: adminKey, seed, cuts })
  expect(faultsIn(report)).toEqual([])
  expect(report.cuts).toBeGreaterThanOrEqual(cuts)
  expect(report.ends.SIGKILL).toBeGreaterThan(0)
  expect(report.retired).toBeGreaterThan(50)
  for (const { name, positions } of report.consumers) {
    expect([name, positions > 0.2 * report.events]).toEqual([name, true])
  }
}, 600_000)

it("what a consumer missed, was told falsely or got twice is found", () => {
  const events = [1, 2, 3, 4, 5].map((position) => ({
    position,
    id: String(position),
    type: position % 2 === 0 ? "even" : "odd",
    entity: position < 4 ? "a" : "b",
  }))
  const truth = { events, retired: new Set([1, 2]) }
  const log = { order: "log" } as const
  const clean = { missing: 0, repeated: 0, disordered: 0, unasked: 0, falselyGone: 0, gapsTold: 0, at: [] }
  expect(judge(seen([1, 2, 3, 4, 5]), log, truth)).toEqual(clean)
  expect(judge(seen([3, 4, 5], [{ from: 1, to: 2 }]), log, truth)).toEqual({ ...clean, gapsTold: 2 })
  expect(judge(seen([3, 4, 5]), log, truth)).toEqual({ ...clean, missing: 2, at: [1, 2] })
  expect(judge(seen([1, 2, 4, 3, 5]), log, truth)).toEqual({ ...clean, disordered: 1, at: [3] })
  expect(judge(seen([1, 2, 3, 3, 4, 5]), log, truth)).toEqual({ ...clean, repeated: 1, at: [3] })
  expect(judge(seen([1, 2, 3, 5], [{ from: 4, to: 4 }]), log, truth)).toMatchObject({
    falselyGone: 1,
    missing: 0,
  })
  expect(judge(seen([2, 4, 5]), { ...log, types: "even" }, truth)).toEqual({ ...clean, unasked: 1, at: [5] })
  const entity = { order: "entity" } as const
  expect(judge(seen([4, 5, 1, 2, 2, 3]), entity, truth)).toEqual({ ...clean, repeated: 1 })
  expect(judge(seen([2, 1, 3, 4, 5, 2]), entity, truth)).toEqual({
    ...clean,
    repeated: 1,
    disordered: 1,
    at: [1],
  })
})

it("the same seed plans the same faults", () => {
  expect(planned(7)).toEqual(planned(7))
  expect(planned(7)).not.toEqual(planned(8))
})

function seen(positions: number[], gaps: { from: number; to: number }[] = []) {
  return { ...sightings(), positions, gaps }
}

function planned(by: number) {
  const chance = createChance(by)
  return Array.from({ length: 20 }, () => planFault(chance, ["reset", "stalled", "refused"], 1_000))
}
