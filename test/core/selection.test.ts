import { describe, expect, test } from "vitest"
import type { LoggedEvent } from "../../src/core/envelope.ts"
import { parseFilter } from "../../src/core/filter.ts"
import { compileSelection, type Selection } from "../../src/core/selection.ts"

function event(payload: unknown): LoggedEvent {
  return {
    id: "0197a000-0000-7000-8000-000000000001",
    tenant: "default",
    platform: "custom",
    source: "default",
    type: "test.thing.happened",
    name: "test",
    deliveryId: "d-1",
    priority: "normal",
    actor: null,
    entity: null,
    title: null,
    url: null,
    occurredAt: null,
    receivedAt: new Date(0),
    correlationId: "c",
    causationId: null,
    backfilled: false,
    headers: {},
    contentType: "application/json",
    raw: Buffer.from(JSON.stringify(payload)),
    position: 1,
    references: [],
  }
}

const passes = (selection: Selection, subject: LoggedEvent) => compileSelection(selection)(subject)

/** Filters that each spend all they have on a long text. */
const costly = (count: number) =>
  Array.from({ length: count }, (_, n) =>
    parseFilter({ where: { "payload.text": { $regex: `(?:a?){100}(?:[ab]?){20}z${n}` } } }),
  )

describe("a selection costs one event a bounded number of steps, however many filters it has", () => {
  const last = parseFilter({ where: { "payload.end": "z" } })
  const subject = event({ text: "ab".repeat(2000), end: "z" })

  test("filters each have their own, as long as all together have something left", () => {
    expect(passes({ any: [...costly(8), last] }, subject)).toBe(true)
    expect(passes({ any: [...costly(20), last] }, subject)).toBe(false)
    expect(passes({ any: [...costly(20), parseFilter({ types: ["test.*.*"] })] }, subject)).toBe(true)
    expect(passes({ all: [{ any: [last] }, { any: [...costly(20), last] }] }, subject)).toBe(false)
  })

  test("spent, it lets nothing pass by a $not, and the next event has all of it again", () => {
    const not = parseFilter({ where: { $not: { "payload.end": "other" } } })
    const matches = compileSelection({ any: [...costly(20), not] })
    expect(matches(subject)).toBe(false)
    expect(matches(event({ text: "short", end: "z" }))).toBe(true)
    expect(matches(subject)).toBe(false)
  })

  test("five hundred ordinary ones stay within it", () => {
    const ordinary = Array.from({ length: 500 }, (_, n) =>
      parseFilter({ where: { "payload.title": { $regex: `^(feat|fix)\\(part-${n}\\): ` }, "payload.n": n } }),
    )
    expect(passes({ any: ordinary }, event({ title: `fix(part-499): ${"it ".repeat(50)}`, n: 499 }))).toBe(
      true,
    )
  })
})
