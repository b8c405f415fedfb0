import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { afterAll, expect, test } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { createStreaming } from "../../src/streaming/streaming.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"

setFlagsFromString("--expose-gc")
const collectGarbage: () => void = runInNewContext("gc")

const database = await testDatabase()
const streaming = createStreaming({ database, log: silentLog, ringBytes: 1 })
streaming.start()
afterAll(() => streaming.stop())

test.each([
  ["with a signal that lasts", new AbortController().signal],
  ["without a signal", undefined],
])("events that a stream has handed out can be forgotten, %s", async (_, signal) => {
  const events = streaming.streamEvents("all_events", {
    tenant: "default",
    after: await lastPosition(),
    signal,
  })
  const handedOut: WeakRef<object>[] = []
  for (let n = 0; n < 40; n++) {
    await logEvents(database.work, [{ payload: { n, pad: "x".repeat(10_000) } }])
    const next = await events.next()
    if (next.done === true) break
    handedOut.push(new WeakRef(next.value), new WeakRef(next.value.raw))
  }
  expect(handedOut).toHaveLength(80)
  await new Promise((done) => setTimeout(done, 20)) // a WeakRef holds until the turn in which it was made ends
  collectGarbage()
  // The newest is held by the feed, and perhaps by the stretch that is under way.
  expect(handedOut.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(10)
  await events.return()
})

async function lastPosition(): Promise<number> {
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  return rows[0]?.position ?? 0
}
