import * as fc from "fast-check"

/** Values that somebody's code does not expect where it looks for an id, a name or a time. */
const junk = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1.5,
    2 ** 53,
    1e308,
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "🏴".slice(0, 3),
    "__proto__",
    "constructor",
    "javascript:alert(1)",
    "http://[",
    "9999999",
    "-271821-04-20T00:00:00.000Z",
    "2026-13-45T99:99:99Z",
    "x".repeat(10_000),
    "#1 ".repeat(5_000),
    "../../etc/passwd",
    "a:b@c#d/e",
    [],
    {},
    [null],
    [[["deep"]]],
    { toString: 1, valueOf: null },
  ),
  fc.constant(JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": 1}}')),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ unit: "binary", maxLength: 40 }),
)

/** A payload with up to six of its values exchanged for junk, or dropped. */
export function spoiled(payload: unknown): fc.Arbitrary<unknown> {
  const size = countNodes(payload)
  const change = fc.record({
    at: fc.nat(size - 1),
    drop: fc.boolean(),
    value: junk,
  })
  return fc.array(change, { minLength: 1, maxLength: 6 }).map((changes) => {
    const byNode = new Map(changes.map((one) => [one.at, one]))
    let node = 0
    const copy = (value: unknown): unknown => {
      const spoil = byNode.get(node++)
      if (spoil !== undefined) {
        node += countNodes(value) - 1
        return spoil.drop ? undefined : spoil.value
      }
      if (Array.isArray(value)) return value.map(copy).filter((entry) => entry !== undefined)
      if (typeof value !== "object" || value === null) return value
      const kept = Object.entries(value).map(([key, entry]) => [key, copy(entry)] as const)
      return Object.fromEntries(kept.filter(([, entry]) => entry !== undefined))
    }
    return copy(payload) ?? null
  })
}

/** Any JSON at all. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(fc.jsonValue({ maxDepth: 4 }), junk)

/** Texts that make careless patterns slow, or find mentions where there are none. */
export const hardTexts: readonly string[] = [
  "`".repeat(65_536),
  "``` ".repeat(16_384),
  "<!-- ".repeat(13_000),
  "#1 ".repeat(21_000),
  "a/b#".repeat(16_000),
  "a-".repeat(32_000),
  "ENG-".repeat(16_000),
  "ENG-1 ".repeat(10_000),
  "fixes ".repeat(10_000),
  "fixes  ".repeat(9_000),
  'Revert "'.repeat(8_000),
  "(#1)".repeat(16_000),
  "https://github.com/".repeat(3_400),
  "<https://x|".repeat(5_900),
  "<".repeat(65_536),
  "> ".repeat(32_000),
  "0".repeat(65_536),
  " ".repeat(65_536),
  "\n".repeat(65_536),
  "\n`".repeat(32_000),
]

function countNodes(value: unknown): number {
  if (typeof value !== "object" || value === null) return 1
  return Object.values(value).reduce<number>((sum, entry) => sum + countNodes(entry), 1)
}
