import { expect, it } from "vitest"
import { findEvent } from "../../src/store/events.ts"
import { readLogPage } from "../../src/store/log-pages.ts"
import { readLoggedEvents } from "../../src/store/log-scan.ts"
import { loadProcessed } from "../../src/store/processing.ts"
import { readWantedLog } from "../../src/store/wanted-log.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"

const database = await testDatabase()

const bodies: Readonly<Record<string, Buffer>> = {
  json: Buffer.from('{"n":1}'),
  empty: Buffer.alloc(0),
  "letters of every length": Buffer.from('{"text":"ä € 🚂"}'),
  "a byte order mark": Buffer.from("\uFEFF{}"),
  "line ends of every kind": Buffer.from("a\r\nb\nc\rd\u2028e"),
  "no UTF-8": Buffer.from([0x7b, 0xff, 0xc0, 0x80, 0x7d]),
  "half of a pair, as bytes": Buffer.from([0xed, 0xa0, 0x80]),
  "a NUL": Buffer.from("a=\0"),
  "what looks like bytes already": Buffer.from("\\x41"),
  "bytes spelt out that are none": Buffer.from("\\xyz"),
  "one long line": Buffer.from(`"${"ß".repeat(200_000)}"`),
}

it.each(Object.keys(bodies))("is read byte for byte by everybody who reads it: %s", async (name) => {
  const body = bodies[name] ?? Buffer.from("none")
  const [event] = await logEvents(database.work, [
    { payload: body, type: "test.body.came" },
    { type: "test.body.passed" },
  ])
  const id = event?.id ?? ""
  const { rows } = await database.work.query<{ position: number }>(
    "select position from event_log where event_id = $1",
    [id],
  )
  const before = (rows[0]?.position ?? 0) - 1
  const page = await readLogPage(database.work, before, 1)
  const wanted = await readWantedLog(database.work, before, ({ type }) => type === "test.body.came", 1)
  const { waiting } = await loadProcessed(database.work, [id], 1)
  const read = [
    await findEvent(database.work, id),
    ...page.items.slice(0, 1),
    ...(wanted?.items ?? []),
    ...waiting.map((one) => one.event),
    ...(await readLoggedEvents(database.work, [id])),
  ]
  expect(read.map((one) => (one !== undefined && "raw" in one ? one.raw.equals(body) : one))).toEqual(
    Array.from({ length: 5 }, () => true),
  )
})
