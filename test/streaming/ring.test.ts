import { expect, it } from "vitest"
import type { Entry } from "../../src/streaming/entry.ts"
import { createRing } from "../../src/streaming/ring.ts"

/** An entry as far as a ring looks at it. */
function entryOf(position: number, bytes: number): Entry {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a ring asks for nothing else
  return { position, bytes } as Entry
}

it("holds the newest entries without a hole, in no more than its bytes and in most of them", () => {
  const ring = createRing(10_000)
  for (let position = 1; position <= 2_000; position++) {
    ring.push(entryOf(position, 10 + (position % 7)))
    expect(ring.bytes).toBeLessThanOrEqual(10_000)
  }
  const first = ring.after(0, 1)[0]?.position ?? 0
  expect([ring.covers(first - 1), ring.covers(first - 2)]).toEqual([true, false])
  expect(ring.after(first - 1, Infinity).map(({ position }) => position)).toEqual(
    Array.from({ length: 2_001 - first }, (_, index) => first + index),
  )
  expect(ring.bytes).toBeGreaterThan(9_000)
})

it("holds the newest entry whatever its size", () => {
  const ring = createRing(100)
  ring.push(entryOf(1, 50))
  ring.push(entryOf(2, 5_000))
  expect(ring.after(0, 10).map(({ position }) => position)).toEqual([2])
  expect([ring.covers(1), ring.covers(0)]).toEqual([true, false])
})
