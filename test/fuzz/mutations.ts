import * as fc from "fast-check"
import { anyJson, spoiled } from "../platforms/support/hostile.ts"
import type { Sample } from "./corpus.ts"

/** What careless code does not expect in the middle of a text. */
const nasty = fc.constantFrom(
  "\0",
  "\\u0000",
  "\\ud800",
  "\\udc00\\ud800",
  "\ufeff",
  "\u2028",
  '"',
  "\\",
  "{",
  "}]",
  "[".repeat(600),
  '{"a":'.repeat(600),
  "[".repeat(20_000),
  "9".repeat(2_000),
  "1e131072",
  "-1e-999999",
  "9007199254740993",
  ',"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},',
  '"toString":null,"hasOwnProperty":1,"length":-1,',
  "'; drop table events; --",
  "%00%ff&payload=&payload={}",
  "&".repeat(2_000),
  "${jndi:ldap://x}",
  "x".repeat(70_000),
)

const bytes = fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array))
const badUtf8 = fc
  .constantFrom("ff", "c0af", "eda080", "f8888080", "efbbbf", "fffe", "80")
  .map((hex) => Buffer.from(hex, "hex"))
const place = fc.double({ min: 0, max: 1, noNaN: true })

/** Bodies made of a sample's: some as they are, some of other values, some broken at the level of bytes. */
export function bodies(sample: Sample, others: readonly Sample[]): fc.Arbitrary<Buffer> {
  const { body } = sample
  const parsed = tryParse(body)
  const at = place.map((part) => Math.floor(part * body.length))
  const splice = (inserted: fc.Arbitrary<Buffer>) =>
    fc
      .tuple(at, inserted, fc.nat(8))
      .map(([from, piece, dropped]) =>
        Buffer.concat([body.subarray(0, from), piece, body.subarray(from + dropped)]),
      )
  const structured = parsed === undefined ? fc.constant(body) : spoiled(parsed).map(toJson)
  return fc.oneof(
    { weight: 6, arbitrary: fc.constant(body) },
    {
      weight: 8,
      arbitrary: parsed === undefined ? fc.constant(body) : fc.uuid().map((id) => fresh(parsed, id)),
    },
    { weight: 8, arbitrary: structured },
    { weight: 2, arbitrary: anyJson.map(toJson) },
    { weight: 2, arbitrary: at.map((end) => body.subarray(0, end)) },
    {
      weight: 3,
      arbitrary: fc
        .array(fc.tuple(at, fc.nat(7)), { minLength: 1, maxLength: 8 })
        .map((flips) => flipped(body, flips)),
    },
    { weight: 3, arbitrary: splice(nasty.map((text) => Buffer.from(text))) },
    { weight: 1, arbitrary: splice(fc.oneof(bytes, badUtf8)) },
    { weight: 1, arbitrary: splice(fc.constantFrom(...others).map(({ body: other }) => other)) },
    {
      weight: 1,
      arbitrary: fc.oneof(
        bytes,
        fc.constant(Buffer.alloc(0)),
        nasty.map((text) => Buffer.from(text)),
      ),
    },
    { weight: 1, arbitrary: at.map((from) => Buffer.concat([body, body.subarray(from)])) },
  )
}

function flipped(body: Buffer, flips: readonly (readonly [at: number, bit: number])[]): Buffer {
  const copy = Buffer.from(body)
  for (const [at, bit] of flips) if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << bit)
  return copy
}

/** The same as a delivery of its own: what is new about it tells it from all others. */
function fresh(payload: unknown, id: string): Buffer {
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) return toJson(payload)
  const ids = {
    ...("event_id" in payload ? { event_id: `Ev${id}` } : {}),
    ...("id" in payload && typeof payload.id === "string" ? { id } : {}),
  }
  return toJson({ ...payload, fuzz: id, ...ids })
}

function toJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value) ?? "null")
}

function tryParse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return undefined
  }
}
