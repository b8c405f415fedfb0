import { setTimeout as sleep } from "node:timers/promises"
import { expect, test } from "vitest"
import type { LogTail, TailItem } from "../../src/core/log-tail.ts"
import { renderStreamed } from "../../src/core/render.ts"
import { logHead, readLogPage } from "../../src/store/log-pages.ts"
import { testDatabase } from "../support/database.ts"
import { logEvents } from "../support/events.ts"
import { streamServer } from "./support/server.ts"

const database = await testDatabase()
let isTelling = true
const server = await streamServer(database, { tail: unreliableTail() })

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** The truth, told as badly as can be: with places left out, told twice, told again later, or not as they are. */
function unreliableTail(): LogTail {
  return {
    follow: (listener) => {
      const ended = new AbortController()
      const tell = (item: TailItem): void => {
        const fate = Math.random()
        if (fate < 0.1) return // lost on the way
        if (fate < 0.12) listener.lost()
        if (fate < 0.15) listener.take({ kind: "elsewhere", position: item.position })
        else if (fate < 0.18)
          listener.take({ kind: "event", position: item.position, json: Buffer.from("{}") })
        else listener.take(item)
        if (fate > 0.9) listener.take(item)
      }
      const follow = async (): Promise<void> => {
        let position = await logHead(database.work)
        while (!ended.signal.aborted) {
          const page = await readLogPage(database.work, position, 1 << 20)
          for (const item of page.items) if (isTelling) tell(itemOf(item))
          position = Math.random() < 0.1 ? Math.max(0, page.upTo - 5) : page.upTo
          if (page.items.length === 0) await sleep(Math.random() * 10)
          if (Math.random() < 0.05) await sleep(Math.random() * 400)
        }
      }
      void follow().catch(() => {})
      return () => ended.abort()
    },
  }
}

function itemOf(item: Awaited<ReturnType<typeof readLogPage>>["items"][number]): TailItem {
  if (!("id" in item)) return { kind: "gap", from: item.from, position: item.to }
  return { kind: "event", position: item.position, json: Buffer.from(renderStreamed(item)) }
}

test("whatever a tail leaves out, repeats or gets wrong, each place is told once, in order and right", async () => {
  const clients = await Promise.all(
    ["?after=0", "?after=0&types=**.odd", "?after=0"].map((query) => server.open(query)),
  )
  const { feed } = server.streaming
  let byTail = 0
  for (let n = 0; n < 700; n++) {
    const types = range(0, Math.floor(Math.random() * 4)).map((index) => (index % 2 === 0 ? "even" : "odd"))
    await logEvents(
      database.work,
      types.map((type) => ({ type: `test.thing.${type}`, title: type })),
    )
    if (feed.byTail) byTail++
    if (n % 4 === 0) await sleep(Math.random() * 12)
    if (n === 300) isTelling = false // it falls silent, and says nothing of that
    if (n === 400) isTelling = true
  }
  await logEvents(database.work, [{ type: "test.thing.odd", title: "odd" }]) // an end that all are shown
  const last = await logHead(database.work)
  for (const client of clients) {
    await client.until(() => Number(client.parser.lastEventId) >= last)
    client.cut()
    for (const { type, data, lastEventId } of client.messages) {
      expect(JSON.parse(data)).toMatchObject({
        position: Number(lastEventId),
        type,
        title: type.split(".")[2],
      })
    }
  }
  const { rows } = await database.work.query<{ position: number }>(
    "select position from event_log where type = 'test.thing.odd' order by position",
  )
  const odd = rows.map(({ position }) => position)
  expect(clients.map((client) => client.positions())).toEqual([range(1, last), odd, range(1, last)])
  expect(byTail).toBeGreaterThan(50) // it was listened to all the same
}, 60_000)
