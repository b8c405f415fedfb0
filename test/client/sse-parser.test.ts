import * as fc from "fast-check"
import { expect, it } from "vitest"
import { createSseParser, type SseItem } from "../../src/client/sse-parser.ts"
import { SseParser } from "../streaming/support/sse-parser.ts"

/** What comes of a stream that arrives in these pieces. */
function itemsOf(pieces: readonly Uint8Array[]): SseItem[] {
  const parser = createSseParser()
  return pieces.flatMap((piece) => parser.push(piece))
}

const itemsOfText = (text: string): SseItem[] => itemsOf([Buffer.from(text)])
const messagesOf = (items: readonly SseItem[]) => items.filter((item) => item.kind === "message")

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const cuts = [0, ...new Set(places.map((place) => place % (bytes.length + 1))), bytes.length]
  const sorted = cuts.toSorted((a, b) => a - b)
  return sorted.slice(1).map((end, index) => bytes.subarray(sorted[index], end))
}

const lineEnd = fc.constantFrom("\n", "\r", "\r\n")
const field = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("data", "id", "event", "retry") },
  { weight: 1, arbitrary: fc.constantFrom("", "Data", " data", "dat", "unknown", "ID") },
)
const value = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }).map((text) => text.replaceAll(/[\r\n]/g, "")),
  fc.constantFrom("", " ", "  two spaces", "1000", "12a", "a\0b", "ü€😀", ":", "\uFEFF"),
)
const line = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(field, fc.constantFrom(":", ": ", ""), value).map((parts) => parts.join("")),
  },
  { weight: 3, arbitrary: fc.constant("") },
  { weight: 1, arbitrary: value.map((text) => `:${text}`) },
)
const stream = fc
  .tuple(fc.constantFrom("", "\uFEFF"), fc.array(fc.tuple(line, lineEnd), { maxLength: 40 }))
  .map(([mark, lines]) => Buffer.from(mark + lines.map((parts) => parts.join("")).join("")))

it("however the bytes are cut, the same comes of them", () => {
  fc.assert(
    fc.property(stream, fc.array(fc.nat(), { maxLength: 30 }), (bytes, places) => {
      expect(itemsOf(cutAt(bytes, places))).toEqual(itemsOf([bytes]))
    }),
    { numRuns: 2_000 },
  )
})

it("each byte by itself makes the same as all at once", () => {
  fc.assert(
    fc.property(stream, (bytes) => {
      expect(itemsOf([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(itemsOf([bytes]))
    }),
    { numRuns: 500 },
  )
})

it("reads what another reading of the standard reads", () => {
  fc.assert(
    fc.property(stream, (bytes) => {
      const whole = Buffer.concat([bytes, Buffer.from("\n\n")])
      const other = new SseParser()
      other.push(whole)
      const messages = messagesOf(itemsOf([whole])).map(({ type, data, lastEventId }) => ({
        type,
        data,
        lastEventId,
      }))
      expect(messages).toEqual(other.messages)
    }),
    { numRuns: 2_000 },
  )
})

it.each([
  ["data: a\ndata: b\n\n", "a\nb"],
  ["data:a\n\n", "a"],
  ["data:  a\n\n", " a"],
  ["data\n\n", ""],
  ["data: a\rdata: b\r\r", "a\nb"],
  ["data: a\r\ndata: b\r\n\r\n", "a\nb"],
  ["\uFEFFdata: a\n\n", "a"],
  [": hello\ndata: a\n: bye\n\n", "a"],
  ["Data: a\ndata: b\nunknown: c\n\n", "b"],
])("%j is one message, %j", (text, data) => {
  expect(itemsOfText(text)).toEqual([{ kind: "message", type: "message", data, lastEventId: "" }])
})

it("a block without an end is no message yet", () => {
  expect(itemsOfText("data: a\n")).toEqual([])
  expect(itemsOfText("event: x\n\n")).toEqual([])
})

it("an id without data moves the last id, and one with NUL moves nothing", () => {
  expect(itemsOfText("id: 7\n\nid: 8\ndata: a\n\ndata: b\n\nid: 9\0\n\nid\n\n")).toEqual([
    { kind: "id", lastEventId: "7" },
    { kind: "message", type: "message", data: "a", lastEventId: "8" },
    { kind: "message", type: "message", data: "b", lastEventId: "8" },
    { kind: "id", lastEventId: "" },
  ])
})

it("retry counts where it is digits and nothing else, within a block too", () => {
  expect(itemsOfText("retry: 2000\nretry: 2s\nretry: -1\nretry:\ndata: a\n\n")).toEqual([
    { kind: "retry", ms: 2000 },
    { kind: "message", type: "message", data: "a", lastEventId: "" },
  ])
})

it("a message ends with its CR, not with the byte after it", () => {
  const parser = createSseParser()
  expect(messagesOf(parser.push(Buffer.from("data: a\r\r")))).toHaveLength(1)
  expect(parser.push(Buffer.from("\n"))).toEqual([])
  expect(messagesOf(parser.push(Buffer.from("data: b\r\n\r\n")))).toHaveLength(1)
})

const push = (parser: ReturnType<typeof createSseParser>, text: string) => () => {
  for (let n = 0; n < 100; n++) parser.push(Buffer.from(text))
}

it("a message without end is refused before it fills the memory", () => {
  const endlessLine = createSseParser(1_000)
  const endlessBlock = createSseParser(1_000)
  expect(push(endlessLine, "x".repeat(64))).toThrow(RangeError)
  expect(push(endlessBlock, `data: ${"x".repeat(64)}\n`)).toThrow(RangeError)
  expect(push(createSseParser(1_000), `data: ${"x".repeat(64)}\n\n`)).not.toThrow()
  expect(push(createSseParser(1_000), `: ${"x".repeat(64)}\n`)).not.toThrow()
})
