import { expect, test } from "vitest"
import { createAllowance } from "../../src/core/allowance.ts"

test("a second's worth may be had at once, and what is used comes back with time", () => {
  let now = 0
  const allowance = createAllowance(10, () => now)
  expect(allowance.tryTake(10)).toBe(true)
  expect(allowance.tryTake(1)).toBe(false)
  expect(allowance.waitMs()).toBeCloseTo(100)
  now = 350
  expect(allowance.tryTake(4)).toBe(false)
  expect(allowance.tryTake(3)).toBe(true)
  now = 100_000
  expect(allowance.tryTake(11)).toBe(false)
  expect(allowance.tryTake(10)).toBe(true)
})

test("less than one a second adds up to one", () => {
  let now = 0
  const allowance = createAllowance(0.5, () => now)
  expect(allowance.tryTake(1)).toBe(true)
  now = 1_999
  expect(allowance.tryTake(1)).toBe(false)
  now = 2_000
  expect(allowance.tryTake(1)).toBe(true)
})

test("a debt is made up for before anything else is had", () => {
  let now = 0
  const allowance = createAllowance(10, () => now)
  allowance.spend(30)
  expect(allowance.waitMs()).toBeCloseTo(2_100)
  now = 2_000
  expect(allowance.tryTake(1)).toBe(false)
  now = 2_100
  expect(allowance.waitMs()).toBe(0)
  allowance.spend(-100)
  expect(allowance.tryTake(11)).toBe(false)
})

test("whoever waits is served in order, never more than there is, and nobody slips in before", async () => {
  const allowance = createAllowance(200)
  expect(await allowance.take(150)).toBe(150)
  const served: string[] = []
  const first = allowance.take(1_000).then((count) => served.push(`first ${count > 0 && count <= 200}`))
  const others = ["second", "third"].map(async (name) => {
    expect(await allowance.take(1)).toBe(1)
    served.push(name)
  })
  expect(allowance.tryTake(1)).toBe(false)
  await Promise.all([first, ...others])
  expect(served).toEqual(["first true", "second", "third"])
})

test("what is given back is there at once for whoever is next", async () => {
  const allowance = createAllowance(1)
  expect(allowance.tryTake(1)).toBe(true)
  for (let gone = 0; gone < 600; gone++) void allowance.take(256).then((count) => allowance.spend(-count))
  expect(await allowance.take(256)).toBe(1) // and not ten minutes later
})
