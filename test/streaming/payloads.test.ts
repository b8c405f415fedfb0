import { expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { streamServer } from "./support/server.ts"

const database = await testDatabase()
const server = await streamServer(database)

const awkward: [string, string | Buffer, string?][] = [
  ["pretty-printed, with every kind of line break", '{\r\n  "a": 1,\n\r  "b": [\n    2\r\n  ]\n}'],
  ["escaped line breaks", '{"text": "one\\ntwo\\r\\nthree"}'],
  ["line separators that only JavaScript minds", '{"text": "a\u2028b\u2029c\u0085d"}'],
  ["text that looks like the protocol", '{"text": "\\n\\nid: 999\\nevent: forged\\ndata: x\\n\\n: comment"}'],
  ["escaped NUL and lone surrogates", '{"text": "\\u0000 \\ud800 \\udfff"}'],
  ["numbers beyond 2^53 and repeated keys", '{"n": 9007199254740993, "n": 12345678901234567890, "n": 1e400}'],
  ["four-byte characters", '{"text": "😀👩‍👩‍👧‍👦"}'],
  ["a byte order mark", Buffer.from('\ufeff{"a": 1}')],
  ["a bare value", "null"],
  ["a form", `payload=${encodeURIComponent('{\n"a": "b"\n}')}`, "application/x-www-form-urlencoded"],
  ["depth", `${"[".repeat(10_000)}${"]".repeat(10_000)}`],
]

test.each(awkward)("%s goes out in one frame, and nothing of it is lost", async (_, payload, contentType) => {
  const client = await server.open()
  await client.until(() => client.parser.lastEventId !== "")
  await logEvents(database.work, [
    { payload, contentType: contentType ?? "application/json" },
    { title: "the next one" },
  ])
  await client.count(2)
  expect(client.messages).toHaveLength(2)
  expect(client.messages.map(({ type }) => type)).toEqual(["test.thing.happened", "test.thing.happened"])
  const [first, next] = client.messages
  const body = Buffer.isBuffer(payload) ? payload.toString() : payload
  const json = contentType === undefined ? body : '{\n"a": "b"\n}'
  const sent = first?.data.slice(first.data.indexOf('"payload":') + '"payload":'.length, -1)
  expect(sent).toBe(json.replaceAll(/[\r\n]+/g, " "))
  expect(JSON.parse(next?.data ?? "")).toMatchObject({ title: "the next one" })
  client.cut()
})

test("a body that is not UTF-8 holds nothing up: its event goes out without it", async () => {
  const client = await server.open()
  await client.until(() => client.parser.lastEventId !== "")
  await logEvents(database.work, [{ payload: Buffer.from([0x22, 0xff, 0x22]) }, { title: "the next one" }])
  await client.count(2)
  expect(client.messages.map(({ data }) => JSON.parse(data).payload)).toEqual([null, {}])
  client.cut()
})
