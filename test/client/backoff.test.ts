import * as fc from "fast-check"
import { setTimeout as sleep } from "node:timers/promises"
import { expect, it } from "vitest"
import { backoffMs, wait } from "../../src/client/backoff.ts"

const attempt = fc.integer({ min: 1, max: 10_000 })
const asked = fc.nat({ max: 1e9 })
const chance = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })

it("never comes back before it was asked to, nor much later than failures in a row call for", () => {
  fc.assert(
    fc.property(attempt, asked, chance, (failures, askedMs, random) => {
      const delay = backoffMs(failures, askedMs, () => random)
      expect(delay).toBeGreaterThanOrEqual(askedMs)
      expect(delay).toBeLessThanOrEqual(askedMs + Math.max(askedMs / 2, 30_000) + 1)
    }),
  )
})

const spread = (failures: number, askedMs: number) =>
  backoffMs(failures, askedMs, () => 1) - backoffMs(failures, askedMs, () => 0)

it("spreads clients out, the more the longer it fails", () => {
  expect([1, 2, 3, 20].map((failures) => spread(failures, 0))).toEqual([250, 500, 1_000, 30_000])
  expect(spread(1, 2_000)).toBe(1_000)
})

it("a wait longer than any timer is not over at once, and ends when it is aborted", async () => {
  const controller = new AbortController()
  let over = false
  const waiting = wait(1e12, controller.signal).then(() => (over = true))
  await sleep(20)
  expect(over).toBe(false)
  controller.abort()
  await waiting
  await wait(1e12, controller.signal)
  expect(over).toBe(true)
})
