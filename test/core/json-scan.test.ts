import * as fc from "fast-check"
import { expect, test } from "vitest"
import { jsonExcess, maxJsonDepth, maxJsonValues } from "../../src/core/json-scan.ts"
import { parsePayload } from "../../src/core/payload.ts"

const json = "application/json"
const form = "application/x-www-form-urlencoded; charset=utf-8"

function excess(text: string) {
  return jsonExcess(Buffer.from(text))
}

function arrays(depth: number, inner = ""): string {
  return "[".repeat(depth) + inner + "]".repeat(depth)
}

test("what nests as deep as allowed passes, one level more does not", () => {
  expect(excess(arrays(maxJsonDepth))).toBeNull()
  expect(excess(arrays(maxJsonDepth + 1))).toBe("depth")
  expect(excess(`${'{"a":'.repeat(maxJsonDepth)}1${"}".repeat(maxJsonDepth)}`)).toBeNull()
  expect(excess(`${'{"a":['.repeat(300)}1${"]}".repeat(300)}`)).toBe("depth")
})

test("brackets that are text, or beside each other, are no depth", () => {
  const text = "[{".repeat(5_000)
  expect(excess(JSON.stringify([text, text]))).toBeNull()
  expect(excess(JSON.stringify([`\\"${text}`, `"\\\\${text}\\`]))).toBeNull()
  expect(excess(`[${"[{}],".repeat(2_000)}1]`)).toBeNull()
  expect(excess(String.raw`["\\",${arrays(maxJsonDepth)}]`)).toBe("depth") // that string has ended
})

test("a body of too many values is known before it is parsed", () => {
  expect(excess(`[${"1,".repeat(maxJsonValues - 2)}1]`)).toBeNull()
  expect(excess(`[${"1,".repeat(maxJsonValues)}1]`)).toBe("values")
  expect(excess(`[${"[],".repeat(maxJsonValues)}1]`)).toBe("values")
  expect(excess(JSON.stringify("1,".repeat(2 * maxJsonValues)))).toBeNull()
})

test("bytes that are no JSON are the parser's to refuse", () => {
  for (const text of ["", '"', '"\\', "]]]]", '{"', "[".repeat(400), '"'.repeat(3_000), "\\".repeat(3_000)]) {
    expect(excess(text)).toBeNull()
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
      expect(() => jsonExcess(Buffer.from(bytes))).not.toThrow()
    }),
  )
})

test("the scan measures what a parser would find", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 10 }), fc.integer({ min: 500, max: 520 }), (value, wrapped) => {
      const depth = wrapped + depthOf(value)
      expect(excess(arrays(wrapped, JSON.stringify(value)))).toBe(depth > maxJsonDepth ? "depth" : null)
    }),
  )
})

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

test("a body past the bounds is refused in words, as JSON and in a form", () => {
  const deep = arrays(20_000)
  const inForm = Buffer.from(new URLSearchParams({ payload: deep }).toString())
  for (const [body, type] of [
    [Buffer.from(deep), json],
    [inForm, form],
  ] as const) {
    expect(() => parsePayload(body, type)).toThrow(
      expect.objectContaining({
        code: "too_deep",
        status: 400,
        message: "the body is nested deeper than 512 levels",
      }),
    )
  }
  expect(() => parsePayload(Buffer.from(`[${"[],".repeat(maxJsonValues)}1]`), json)).toThrow(
    expect.objectContaining({ code: "too_large", status: 413 }),
  )
})

test("a form of very many fields is refused before they are made", () => {
  expect(() => parsePayload(Buffer.from("a&".repeat(5_000_000)), form)).toThrow(
    expect.objectContaining({ code: "too_large", message: "the form has more than 1000 fields" }),
  )
  expect(parsePayload(Buffer.from("a=1&__proto__=2&a=3"), form)).toEqual(
    JSON.parse('{"a":"3","__proto__":"2"}'),
  )
})
