import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, expect, test } from "vitest"
import type { LoggedEvent } from "../../src/core/envelope.ts"
import { parseFilter } from "../../src/core/filter.ts"
import { silentLog } from "../../src/core/log.ts"
import { createStreaming } from "../../src/streaming/streaming.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"

const database = await testDatabase()
const streaming = createStreaming({ database, log: silentLog, ringBytes: 64 << 10 })
const { streamEvents } = streaming
streaming.start()
afterAll(() => streaming.stop())

const tenant = "default"
const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + 1 + index)

async function head(): Promise<number> {
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  return rows[0]?.position ?? 0
}

async function take(events: AsyncIterable<LoggedEvent>, count: number): Promise<number[]> {
  const positions: number[] = []
  for await (const event of events) {
    positions.push(event.position)
    if (positions.length === count) break
  }
  return positions
}

test("history and news come in one order, each once", async () => {
  const start = await head()
  await logEvents(
    database.work,
    range(0, 300).map((n) => ({ payload: { n } })),
  )
  const taking = take(streamEvents("all_events", { tenant, after: start }), 400)
  for (let batch = 0; batch < 10; batch++) {
    await logEvents(
      database.work,
      range(0, 10).map((n) => ({ payload: { n } })),
    )
  }
  expect(await taking).toEqual(range(start, 400))
})

test("without a cursor it begins with news, and hands events out whole", async () => {
  const events = streamEvents("all_events", { tenant })
  const [old] = await logEvents(database.work, [{ title: "old", payload: { a: 0 } }])
  const next = events.next()
  // Where news begins is read when the first is asked for, some time after the call.
  const logged = new Map<string, object>()
  let taken: Awaited<typeof next> | undefined
  while (taken === undefined) {
    const [one] = await logEvents(database.work, [{ title: "news", payload: { a: 1 } }])
    if (one !== undefined) logged.set(one.id, one)
    taken = await Promise.race([next, sleep(20, undefined)])
  }
  const value = taken.value ?? undefined
  expect(value?.id).not.toBe(old?.id)
  const { position } = value ?? {}
  expect(value).toEqual({ ...logged.get(value?.id ?? ""), position, references: [], payload: { a: 1 } })
  expect(value?.payload).toBe(value?.payload) // parsed once
  await events.return()
})

test("stream, filter and tenant all narrow it", async () => {
  const start = await head()
  await logEvents(database.work, [
    { platform: "github", type: "github.pull_request.opened", payload: { n: 1 } },
    { platform: "github", type: "github.pull_request.opened", payload: { n: 2 } },
    { platform: "github", type: "github.push.pushed", payload: { n: 2 } },
    { platform: "github", type: "github.pull_request.opened", tenant: "acme", payload: { n: 2 } },
    { platform: "github", type: "github.pull_request.closed", payload: { n: 2 } },
  ])
  const filter = parseFilter({ where: { "payload.n": 2 } })
  expect(await take(streamEvents("pr_events", { tenant, after: start, filter }), 2)).toEqual([
    start + 2,
    start + 5,
  ])
  expect(await take(streamEvents("pr_events", { tenant: "acme", after: start }), 1)).toEqual([start + 4])
})

test("an abort ends it, while it waits as well as between two events", async () => {
  const waiting = new AbortController()
  const taking = take(streamEvents("all_events", { tenant, signal: waiting.signal }), 1)
  await sleep(20)
  waiting.abort()
  expect(await taking).toEqual([])

  const between = new AbortController()
  const positions: number[] = []
  for await (const event of streamEvents("all_events", {
    tenant,
    after: "earliest",
    signal: between.signal,
  })) {
    positions.push(event.position)
    if (positions.length === 3) between.abort()
  }
  expect(positions).toEqual([1, 2, 3])
  expect(await take(streamEvents("all_events", { tenant, signal: AbortSignal.abort() }), 1)).toEqual([])
})

test("a consumer that takes its time makes nothing pile up, and misses nothing", async () => {
  const start = await head()
  const seen: number[] = []
  const events = streamEvents("all_events", { tenant, after: start })
  const consuming = (async () => {
    for await (const event of events) {
      seen.push(event.position)
      if (seen.length % 50 === 1) await sleep(20)
      if (seen.length === 300) return
    }
  })()
  for (let batch = 0; batch < 30; batch++) {
    await logEvents(
      database.work,
      range(0, 10).map((n) => ({ payload: { n, pad: "x".repeat(5_000) } })),
    )
  }
  await consuming
  expect(seen).toEqual(range(start, 300))
})

test("where retention has passed the cursor it throws `gone`, or tells whoever asked to be told", async () => {
  await database.work.query("delete from event_log where position in (2, 3)")
  await expect(take(streamEvents("all_events", { tenant, after: 0 }), 5)).rejects.toMatchObject({
    code: "gone",
    message: "positions 2 to 3 are past retention",
  })
  const gaps: unknown[] = []
  const onGap = (gap: unknown) => void gaps.push(gap)
  expect(await take(streamEvents("all_events", { tenant, after: 0, onGap }), 3)).toEqual([1, 4, 5])
  expect(gaps).toEqual([{ from: 2, to: 3 }])
})

test("an unknown stream and a cursor beyond the log are refused", async () => {
  await expect(take(streamEvents("nothing", { tenant }), 1)).rejects.toMatchObject({ code: "not_found" })
  const beyond = (await head()) + 1
  await expect(take(streamEvents("all_events", { tenant, after: beyond }), 1)).rejects.toMatchObject({
    code: "conflict",
  })
})

test("the stop of the hub ends it", async () => {
  const own = createStreaming({ database, log: silentLog })
  own.start()
  const taking = take(own.streamEvents("all_events", { tenant }), 1)
  await expect.poll(() => own.feed.following).toBe(true)
  await own.stop()
  expect(await taking).toEqual([])
})
