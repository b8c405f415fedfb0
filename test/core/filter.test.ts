import * as fc from "fast-check"
import { describe, expect, test, vi } from "vitest"
import type { LoggedEvent } from "../../src/core/envelope.ts"
import { SignalboxError } from "../../src/core/errors.ts"
import { compileFilter, compileHeadFilter, filterKey, parseFilter } from "../../src/core/filter.ts"
import { createSteps, isSpent, maxSteps } from "../../src/core/filter-steps.ts"
import { compileWhere } from "../../src/core/filter-where.ts"
import { compileLinearRegexp } from "../../src/core/linear-regexp.ts"

function event(fields: Partial<LoggedEvent> = {}, payload: unknown = {}): LoggedEvent {
  return {
    id: "0197a000-0000-7000-8000-000000000001",
    tenant: "default",
    platform: "github",
    source: "default",
    type: "github.pull_request.opened",
    name: "pull_request:opened",
    deliveryId: "d-1",
    priority: "high",
    actor: { id: "7", name: "dev", bot: false },
    entity: "github:pull_request:acme/api#42",
    title: "Fix the thing",
    url: null,
    occurredAt: new Date("2026-01-02T03:04:05.000Z"),
    receivedAt: new Date("2026-01-02T03:04:06.000Z"),
    correlationId: "c",
    causationId: null,
    backfilled: false,
    headers: {},
    contentType: "application/json",
    raw: Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)),
    position: 12,
    references: [
      { entity: "linear:issue:ENG-1", relation: "closes", evidence: { field: "title", text: "ENG-1" } },
    ],
    ...fields,
  }
}

const passes = (filter: unknown, subject = event()) => compileFilter(parseFilter(filter))(subject)

function refusal(filter: unknown): SignalboxError {
  try {
    parseFilter(filter)
  } catch (error) {
    if (error instanceof SignalboxError) return error
    throw error
  }
  throw new Error(`taken: ${JSON.stringify(filter)}`)
}

describe("a filter that is not understood is refused, never ignored", () => {
  test.each([
    [{ platform: ["github"] }, "unknown key platform; known: platforms, types"],
    [JSON.parse('{"__proto__": {"types": ["*"]}}'), "unknown key __proto__"],
    [{ platforms: ["gitlab"] }, "platforms.0"],
    [{ types: [] }, "types: must not be empty"],
    [{ types: ["github..opened"] }, "types.0"],
    [{ types: ["*.*.*.*.*"] }, "more than four wildcards"],
    [{ types: [7] }, "types.0"],
    [{ priority: "urgent" }, "priority"],
    [null, "expected object"],
    [[], "expected object"],
    ['{"types"', "not valid JSON"],
    [{ where: [] }, "where must be an object"],
    [{ where: JSON.parse('{"__proto__": 1}') }, "where.__proto__ begins with none of"],
    [{ where: { "payloads.x": 1 } }, "where.payloads.x begins with none of id, position"],
    [{ where: { "payload..x": 1 } }, "empty name"],
    [{ where: { "payload.x": {} } }, "payload.x must not be empty"],
    [{ where: { "payload.x": { $equals: 1 } } }, "unknown operator $equals at where.payload.x"],
    [{ where: { $nor: [] } }, "unknown operator $nor"],
    [{ where: { $or: [] } }, "$or must be a list of 1 to 256"],
    [{ where: { "payload.x": { $gt: true } } }, "must be a number or a string"],
    [{ where: { "payload.x": { $in: [[1]] } } }, "must be a string, a number"],
    [{ where: { "payload.x": { $exist: "yes" } } }, "must be true or false"],
    [{ where: { "payload.x": { $regex: "(" } } }, 'unmatched "("'],
    [{ where: { title: { $eq: "x".repeat(1025) } } }, "1024 characters"],
    [{ entities: ["a\0"] }, "entities.0: must be well-formed text"],
    [{ actors: "\ud800" }, "actors.0: must be well-formed text"],
    [{ sources: ["ok", "\udfff"] }, "sources.1: must be well-formed text"],
    [{ where: { title: "a\0" } }, "must be well-formed text"],
    [{ where: { title: { $in: ["\ud800"] } } }, "must be well-formed text"],
    [{ where: { "payload.\0": 1 } }, "has a NUL"],
  ])("%j", (filter, message) => {
    const error = refusal(filter)
    expect(error.status).toBe(400)
    expect(error.message).toContain(message)
  })

  test("nesting and size have bounds", () => {
    let deep: unknown = { title: "x" }
    for (let n = 0; n < 20; n++) deep = { $not: deep }
    expect(refusal({ where: deep }).message).toContain("nested deeper")
    const wide = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`payload.p${n}`, n]))
    expect(refusal({ where: wide }).message).toContain("more than 128 conditions")
    const long = Array.from({ length: 100 }, (_, n) => `${n}${"e".repeat(1000)}`)
    expect(refusal({ entities: long }).message).toContain("16384")
  })
})

describe("every key must hold, within a key any value", () => {
  test.each<[unknown, boolean]>([
    [{}, true],
    [{ where: {} }, true],
    [{ platforms: ["github", "linear"] }, true],
    [{ platforms: "linear" }, false],
    [{ types: ["github.pull_request.*"] }, true],
    [{ types: ["github.*.closed", "**.opened"] }, true],
    [{ types: ["github.pull_request"] }, false],
    [{ entities: ["github:pull_request:acme/api#42"] }, true],
    [{ entities: ["linear:issue:ENG-1"] }, true],
    [{ entities: ["linear:issue:eng-1"] }, true],
    [{ entities: ["github:pull_request:Acme/API#42"] }, true],
    [{ entities: ["linear:issue:ENG-2"] }, false],
    [{ actors: ["dev"] }, true],
    [{ actors: ["7"] }, true],
    [{ actors: ["8"] }, false],
    [{ sources: ["default"], priority: ["low", "high"] }, true],
    [{ sources: ["default"], priority: "low" }, false],
    ['{"platforms":["github"]}', true],
  ])("%j is %s", (filter, expected) => {
    expect(passes(filter)).toBe(expected)
  })

  test("an event without actor and entity passes only where neither is asked for", () => {
    const bare = event({ actor: null, entity: null, references: [] })
    expect(passes({ actors: ["dev"] }, bare)).toBe(false)
    expect(passes({ entities: ["x"] }, bare)).toBe(false)
    expect(passes({ where: { "actor.name": { $exist: false }, entity: null } }, bare)).toBe(true)
  })
})

const payload = {
  action: "opened",
  number: 42,
  draft: false,
  merged_at: null,
  labels: [{ name: "bug" }, { name: "p1" }],
  tags: ["a", "b"],
  empty: [],
  "dotted.name": 1,
  pull_request: { base: { ref: "main" }, additions: 7, updated_at: "2026-01-02T00:00:00Z" },
}

describe("conditions reach into the payload", () => {
  test.each<[Record<string, unknown>, boolean]>([
    [{ "payload.pull_request.base.ref": { $eq: "main" } }, true],
    [{ "payload.pull_request.base.ref": "main", "payload.number": 42 }, true],
    [{ "payload.pull_request.base.ref": "main", "payload.number": 43 }, false],
    [{ "payload.pull_request.base": { $eq: "main" } }, false],
    [{ "payload.action": { $neq: "closed" } }, true],
    [{ "payload.missing": { $neq: "closed" } }, true],
    [{ "payload.missing": { $eq: null } }, false],
    [{ "payload.merged_at": null }, true],
    [{ "payload.pull_request.additions": { $gt: 6, $lt: 8 } }, true],
    [{ "payload.pull_request.additions": { $gte: 7, $lte: 7 } }, true],
    [{ "payload.pull_request.additions": { $gt: 7 } }, false],
    [{ "payload.pull_request.additions": { $gt: "6" } }, false],
    [{ "payload.pull_request.updated_at": { $gte: "2026-01-01" } }, true],
    [{ "payload.action": { $in: ["opened", "reopened"] } }, true],
    [{ "payload.action": { $nin: ["opened", "reopened"] } }, false],
    [{ "payload.missing": { $nin: ["opened"] } }, true],
    [{ title: { $startsWith: "Fix", $endsWith: "thing" } }, true],
    [{ title: { $startsWith: "thing" } }, false],
    [{ title: { $regex: "(?i)^fix\\b" } }, true],
    [{ "payload.number": { $regex: "42" } }, false],
    [{ "payload.merged_at": { $exist: true } }, true],
    [{ "payload.missing": { $exist: true } }, false],
    [{ "payload.empty": { $exist: true } }, true],
    [{ "payload.labels.name": "p1" }, true],
    [{ "payload.labels.1.name": "bug" }, false],
    [{ "payload.labels.0.name": "bug" }, true],
    [{ "payload.labels.name": { $neq: "bug" } }, false],
    [{ "payload.tags": "b" }, true],
    [{ "payload.tags.length": { $exist: true } }, false],
    [{ "payload.dotted\\.name": 1 }, true],
    [{ "payload.constructor": { $exist: true } }, false],
    [{ "payload.__proto__": { $exist: true } }, false],
    [{ "payload.action.length": { $exist: true } }, false],
    [{ $or: [{ "payload.number": 1 }, { "payload.action": "opened" }] }, true],
    [{ $and: [{ "payload.number": 1 }, { "payload.action": "opened" }] }, false],
    [{ $not: { "payload.number": 1 } }, true],
    [{ "payload.number": { $or: [{ $lt: 10 }, { $gt: 40 }], $not: { $eq: 41 } } }, true],
    [{ occurredAt: { $startsWith: "2026-01-02T03:04:05" }, position: { $lte: 12 } }, true],
    [{ "references.relation": "closes" }, true],
  ])("%j is %s", (where, expected) => {
    expect(passes({ where }, event({}, payload))).toBe(expected)
  })

  test("a payload with a property named __proto__ is read, and pollutes nothing", () => {
    const hostile = event({}, '{"__proto__": {"admin": true}}')
    expect(passes({ where: { "payload.__proto__.admin": true } }, hostile)).toBe(true)
    expect(Reflect.get({}, "admin")).toBeUndefined()
  })

  test("a body that is not JSON has no fields, and fails no filter", () => {
    const broken = event({}, "{nonsense")
    expect(passes({ where: { "payload.x": { $exist: false } } }, broken)).toBe(true)
    expect(passes({ where: { "payload.x": 1 } }, broken)).toBe(false)
  })

  test("a form's payload is read as its JSON", () => {
    const form = event({
      contentType: "application/x-www-form-urlencoded",
      raw: Buffer.from(`payload=${encodeURIComponent('{"type":"block_actions"}')}`),
    })
    expect(passes({ where: { "payload.type": "block_actions" } }, form)).toBe(true)
  })
})

test("equal filters have equal keys, however they are written", () => {
  const written = [
    { types: ["b.*", "a.*", "b.*"], platforms: "github", where: { title: "x", "payload.n": 1 } },
    { where: { "payload.n": { $eq: 1 }, title: { $eq: "x" } }, platforms: ["github"], types: ["a.*", "b.*"] },
  ]
  const keys = written.map((filter) => filterKey(parseFilter(filter)))
  expect(keys[0]).toBe(keys[1])
  expect(filterKey(parseFilter(keys[0]))).toBe(keys[0])
  expect(filterKey(parseFilter({ types: ["a.*"] }))).not.toBe(keys[0])
})

test("the head filter lets pass whatever the whole filter does", () => {
  const filters = fc.record(
    {
      platforms: fc.subarray(["github", "linear", "slack"], { minLength: 1 }),
      types: fc.subarray(["github.*", "linear.issue.*", "**.opened", "github.push.pushed"], { minLength: 1 }),
      priority: fc.subarray(["critical", "high", "low"], { minLength: 1 }),
      actors: fc.subarray(["dev", "ops"], { minLength: 1 }),
      where: fc.constantFrom({ title: "Fix the thing" }, { title: "other" }),
    },
    { requiredKeys: [] },
  )
  const subjects = [
    event(),
    event({ platform: "linear", type: "linear.issue.update", priority: "low" }),
    event({ type: "github.push.pushed", priority: "critical", actor: null }),
  ]
  fc.assert(
    fc.property(filters, fc.constantFrom(...subjects), (input, subject) => {
      const filter = parseFilter(input)
      expect(!compileFilter(filter)(subject) || compileHeadFilter(filter)(subject)).toBe(true)
    }),
  )
})

describe("regular expressions", () => {
  const atoms = fc.constantFrom(
    "a",
    "b",
    "ab",
    ".",
    "\\d",
    "\\w",
    "\\s",
    "[ab]",
    "[^a]",
    "[a-c1]",
    "\\.",
    "é",
    "\\b",
    "^",
    "$",
  )
  const pattern = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      atoms,
      fc.tuple(tie("node"), tie("node")).map(([left, right]) => left + right),
      fc.tuple(tie("node"), tie("node")).map(([left, right]) => `(${left}|${right})`),
      fc
        .tuple(tie("node"), fc.constantFrom("*", "+", "?", "{2}", "{1,}", "{0,2}", "*?"))
        .map(([inner, quantifier]) => `(?:${inner})${quantifier}`),
    ),
  })).node
  const subject = fc.string({
    unit: fc.constantFrom("a", "b", "c", "1", ".", " ", "é", "\n", "😀"),
    maxLength: 8,
  })

  test("mean what they mean in JavaScript", () => {
    fc.assert(
      fc.property(pattern, subject, fc.boolean(), (source, text, anyCase) => {
        const expected = new RegExp(source, anyCase ? "iu" : "u").test(text)
        expect(compileLinearRegexp(anyCase ? `(?i)${source}` : source)(text, createSteps())).toBe(expected)
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ["(?i)STRASSE|ÉTÉ", "l'été", true],
    ["^\\u0041\\x42\\u{43}$", "ABC", true],
    ["[\\]\\-x]", "-", true],
    ["(?<year>\\d{4})-\\d{2}", "on 2026-11-21", true],
    ["^.$", "😀", true],
    ["a{2,3}", "a", false],
  ])("%s on %s", (source, text, expected) => {
    expect(compileLinearRegexp(source)(text, createSteps())).toBe(expected)
  })

  test.each([
    "(a)\\1",
    "(?=a)",
    "(?<!a)",
    "\\p{L}",
    "a**",
    "*a",
    "[b-a]",
    "a{2,1}",
    "a{",
    "a)",
    "\\",
    "^*",
    "x".repeat(257),
  ])("%s is refused", (source) => {
    expect(() => compileLinearRegexp(source)).toThrow(SignalboxError)
  })

  test("a hostile pattern costs steps in proportion to the text, and never without bound", () => {
    const hostile = ["(a*)*b", "(a|a)*b", "(a|aa)+$", "a*a*a*a*a*a*a*a*b", "(.*)*(.*)*(.*)*x", "(a+){10}b"]
    const text = `${"a".repeat(4000)}c`
    for (const source of hostile) {
      const [short, long] = [text.slice(-2001), text].map((tried) => {
        const steps = createSteps(10_000_000)
        expect(compileLinearRegexp(source)(tried, steps)).toBe(false) // hangs, or is right
        expect(isSpent(steps)).toBe(false)
        return 10_000_000 - steps.left
      })
      expect(long).toBeLessThan(2.1 * (short ?? 0))
    }
    expect(() => compileLinearRegexp("((((a{99}){99}){99}){99})")).toThrow("too large")
    expect(() => compileLinearRegexp("((((){999}){999}){999}){999}")).toThrow("too large")
  })
})

// Counted apart from the allowance: each character that the matcher looks at is asked of the text.
function charactersRead(ask: () => void): number {
  const spy = vi.spyOn(String.prototype, "codePointAt")
  try {
    ask()
    return spy.mock.calls.length
  } finally {
    spy.mockRestore()
  }
}

function cost(source: string): number {
  const steps = createSteps()
  compileLinearRegexp(source)("-".repeat(100), steps)
  return maxSteps - steps.left
}

describe("one filter costs one event a bounded number of steps", () => {
  const hostile = "(?:a?){100}(?:[ab]?){20}z"
  const text = "ab".repeat(2000)
  const body = { text, texts: Array.from({ length: 90 }, () => text), end: "z" }
  const regexps = (count: number, path: string) => ({
    $or: Array.from({ length: count }, (_, n) => ({ [path]: { $regex: `${hostile}${n}` } })),
  })

  test("however many expressions and values it has", () => {
    for (const path of ["payload.text", "payload.texts"]) {
      const { test: asked } = compileWhere(regexps(4, path))
      const steps = createSteps()
      const subject = event({}, body)
      const read = charactersRead(() => expect(asked(subject, steps)).toBe(false))
      expect(isSpent(steps)).toBe(true)
      expect(steps.left).toBeGreaterThan(-1000)
      expect(read).toBeLessThan(4000) // to the end of one text it would be 8000
      // the next event has an allowance of its own
      expect(
        passes({ where: { $or: [regexps(3, path), { "payload.end": "z" }] } }, event({}, { end: "z" })),
      ).toBe(true)
    }
  })

  test("spent, it lets nothing pass: not by a later condition, not by a $not", () => {
    const subject = event({}, body)
    const late = { $or: [regexps(1, "payload.text"), { "payload.end": "z" }] }
    expect(passes({ where: { $or: [{ "payload.end": "z" }, regexps(1, "payload.text")] } }, subject)).toBe(
      true,
    )
    expect(passes({ where: late }, subject)).toBe(false)
    expect(passes({ where: { $not: late } }, subject)).toBe(false)
    expect(passes({ where: { $not: { $not: late } } }, subject)).toBe(false)
    expect(passes({ where: { "payload.text": { $not: { $regex: hostile } } } }, subject)).toBe(false)
  })

  test("a path into a huge array is walked as far as the steps go", () => {
    const subject = event({}, { few: Array.from({ length: 1000 }, () => 1), many: Array(maxSteps).fill(1) })
    expect(passes({ where: { "payload.few": 1, "payload.few.x": { $exist: false } } }, subject)).toBe(true)
    expect(passes({ where: { "payload.many": 1 } }, subject)).toBe(false)
    expect(passes({ where: { "payload.many.x": { $exist: false } } }, subject)).toBe(false)
    const { test: asked } = compileWhere({
      "payload.few": { $or: Array.from({ length: 120 }, (_, n) => ({ $in: [n + 2] })) },
    })
    const steps = createSteps()
    expect(asked(subject, steps)).toBe(false)
    expect(isSpent(steps)).toBe(true) // each value is looked at for each condition
  })

  test("a $regex looks at 100 texts of its path, and says nothing of the rest", () => {
    const texts = [...Array.from({ length: 99 }, () => "a"), "b", "c"]
    const subject = event({}, { texts })
    expect(passes({ where: { "payload.texts": { $regex: "b" } } }, subject)).toBe(true)
    expect(passes({ where: { "payload.texts": { $regex: "c" } } }, subject)).toBe(false)
    expect(passes({ where: { $not: { "payload.texts": { $regex: "d" } } } }, subject)).toBe(false)
    expect(passes({ where: { "payload.texts": "c" } }, subject)).toBe(true)
  })

  test("ordinary expressions on long texts stay within it", () => {
    const long = `${"Lorem ipsum dolor sit amet. ".repeat(140)}Fixes ENG-42`
    const where = {
      title: { $regex: "^(feat|fix)(\\(.+\\))?: " },
      "payload.body": { $regex: "(?i)\\b(close[sd]?|fix(e[sd])?) [A-Z]{2,5}-\\d+" },
    }
    expect(passes({ where }, event({ title: "fix(api): it" }, { body: long }))).toBe(true)
    expect(passes({ where }, event({ title: "fix(api): it" }, { body: long.slice(0, -5) }))).toBe(false)
    const steps = createSteps()
    compileWhere(where).test(event({ title: "fix(api): it" }, { body: long }), steps)
    expect(steps.left).toBeGreaterThan(maxSteps / 2)
  })

  test("a wide class costs as many steps as it has members", () => {
    const wide = Array.from({ length: 100 }, (_, n) => String.fromCodePoint(0x4e00 + n)).join("")
    expect(cost(`[${wide}]`)).toBeGreaterThan(10 * cost("[ab]"))
  })

  test("more than four $regex are refused, wherever they stand", () => {
    expect(() => parseFilter({ where: regexps(4, "title") })).not.toThrow()
    const five = { where: { $or: [regexps(4, "title"), { $not: { url: { $regex: "x" } } }] } }
    expect(refusal(five).status).toBe(400)
    expect(refusal(five).message).toContain("more than 4 $regex conditions")
  })
})
