import { setImmediate } from "node:timers/promises"
import { expect, test } from "vitest"
import { createBudget, type Budget } from "../../src/streaming/budget.ts"

/** Asks, and notes who was given what. */
function ask(budget: Budget, given: string[]) {
  return async (owner: string, amount: number, name = owner) => {
    const release = await budget.acquire(owner, amount)
    given.push(name)
    return release
  }
}

test("one owner that gives nothing back leaves as much to others as it holds", async () => {
  const given: string[] = []
  const acquire = ask(createBudget(100, { leavesRoom: true }), given)
  const hoarded = Array.from({ length: 100 }, async () => acquire("slow", 1))
  await setImmediate()
  expect(given).toHaveLength(50)
  const release = await acquire("other", 20)
  expect(given.at(-1)).toBe("other")
  release()
  await setImmediate()
  expect(given).toHaveLength(51)
  ;(await hoarded[0])?.()
  await setImmediate()
  expect(given).toHaveLength(52) // its next one, in the place of what it gave back
})

test("each further owner that hoards gets the half of the rest, and an equal share of what is given back", async () => {
  const given: string[] = []
  const budget = createBudget(120, { leavesRoom: true })
  const acquire = ask(budget, given)
  const hoarded = ["a", "b", "c"].map((owner) => Array.from({ length: 120 }, async () => acquire(owner, 1)))
  const held = (owner: string) => given.filter((name) => name === owner).length
  await setImmediate()
  expect(["a", "b", "c"].map(held)).toEqual([60, 30, 15])
  const d = await acquire("d", 10)
  d()
  for (const piece of hoarded[0]?.slice(0, 45) ?? []) (await piece)()
  await setImmediate()
  expect([held("a") - 45, held("b"), held("c")]).toEqual([30, 30, 30]) // and as much is free
})

test("owners take turns, each in its own order", async () => {
  const given: string[] = []
  const budget = createBudget(1)
  const acquire = ask(budget, given)
  const release = await budget.acquire("x", 1)
  const all = [
    ["a", "a1"],
    ["a", "a2"],
    ["a", "a3"],
    ["b", "b1"],
    ["b", "b2"],
  ].map(async ([owner = "", name]) => (await acquire(owner, 1, name))())
  release()
  await Promise.all(all)
  expect(given).toEqual(["a1", "b1", "a2", "b2", "a3"])
})

test("a large piece is waited for, and small ones of others do not pass it by for ever", async () => {
  const given: string[] = []
  const budget = createBudget(10, { leavesRoom: true })
  const acquire = ask(budget, given)
  const release = await budget.acquire("x", 3)
  const large = acquire("large", 10_000)
  const small = acquire("small", 1)
  await setImmediate()
  expect(given).toEqual([])
  release()
  ;(await large)()
  await small
  expect(given).toEqual(["large", "small"])
})
