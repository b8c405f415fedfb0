import { expect, it } from "vitest"
import { createClient, type Retry, type StreamOptions } from "../../src/client/index.ts"
import { insertStream, updateStream } from "../../src/store/streams.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { streamServer } from "../streaming/support/server.ts"
import { positionsOf, take } from "./support/take.ts"

const database = await testDatabase()
const server = await streamServer(database)
const client = createClient({ url: server.url, key: "any" })
const transports: NonNullable<StreamOptions["transport"]>[] = ["sse", "websocket"]

async function make(name: string, types: string[]): Promise<void> {
  const settings = { filter: { types }, routes: null, retentionSeconds: null, partitions: null }
  expect(await insertStream(database.work, "default", name, settings)).toBeDefined()
}
await make("deploys.eu", ["d.eu"])
await make("deploys.us", ["d.us"])

async function log(...types: string[]): Promise<number> {
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  await logEvents(
    database.work,
    types.map((type) => ({ type })),
  )
  return rows[0]?.position ?? 0
}

it.each(transports)("several streams are followed as one, by names and patterns (%s)", async (transport) => {
  const before = await log("d.eu", "x.y", "d.us")
  await using both = client.stream("deploys.*", { after: before, transport })
  await using named = client.stream(["deploys.us", "deploys.none.**"], { after: before, transport })
  expect(positionsOf(await take(both, 2))).toEqual([before + 1, before + 3])
  expect(positionsOf(await take(named, 1))).toEqual([before + 3])
})

it.each(transports)(
  "a stream that is changed goes on as what it is now, and says why (%s)",
  async (transport) => {
    const name = `moving_${transport}`
    await make(name, ["m.a"])
    const before = await log("m.a")
    const retries: Retry[] = []
    await using stream = client.stream(name, {
      after: before,
      transport,
      onRetry: (retry) => retries.push(retry),
    })
    expect(positionsOf(await take(stream, 1))).toEqual([before + 1])
    const next = stream.next()
    await updateStream(database.work, "default", name, { filter: { types: ["m.b"] } })
    await expect.poll(() => retries.length, { timeout: 20_000 }).toBe(1)
    expect(retries[0]?.error.message).toContain("have changed")
    expect(retries[0]?.delayMs).toBeGreaterThanOrEqual(1_000)
    await log("m.a", "m.b")
    expect((await next).value?.position).toBe(before + 3)
  },
)
