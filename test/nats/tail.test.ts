import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, onTestFinished, test } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { createNatsLink } from "../../src/nats/link.ts"
import { createPublisher } from "../../src/nats/publisher.ts"
import { readNatsUrl } from "../../src/nats/settings.ts"
import { subjectNames } from "../../src/nats/subject.ts"
import { createNatsTail } from "../../src/nats/tail.ts"
import { createPool, type Database } from "../../src/store/database.ts"
import { logEvents } from "../support/events.ts"
import type { TestClient } from "../streaming/support/client.ts"
import { streamServer, type StreamServer } from "../streaming/support/server.ts"
import { freshDatabases } from "./support/fresh-databases.ts"
import { withNats } from "./support/log-in-nats.ts"
import { ownNats, withoutNats, type OwnNats } from "./support/nats-server.ts"

const fresh = await freshDatabases(7)

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

interface Node extends StreamServer {
  database: Database
  nats: OwnNats
  /** Resolves once the news come from NATS; writes now and then, for nobody can tell from silence. */
  byNats(): Promise<void>
}

/** A stream node that reads the news from NATS, and the publisher that brings them there. */
async function streamNode(): Promise<Node> {
  const [database, nats] = [fresh(), await ownNats()]
  const address = readNatsUrl(nats.url)
  if (address === null) throw new Error("not an address")
  const names = subjectNames("signalbox")
  const link = createNatsLink({ address, log: silentLog })
  const publisher = createPublisher({ link, database, names, settings: {}, log: silentLog })
  const tail = createNatsTail({ link, names, log: silentLog })
  const server = await streamServer(database, { tail })
  link.start()
  publisher.start()
  onTestFinished(async () => {
    await server.stop()
    await publisher.stop()
    await link.stop()
  })
  const { feed } = server.streaming
  const byNats = async (): Promise<void> => {
    for (let tries = 0; !feed.byTail; tries++) {
      if (tries > 400) throw new Error("the news still come from the database")
      await logEvents(database.work, [{ type: "test.probe.sent" }])
      await sleep(50)
    }
  }
  return { ...server, database, nats, byNats }
}

async function head({ database }: Node): Promise<number> {
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  return rows[0]?.position ?? 0
}

/** Writes at a steady pace while `body` runs. */
async function underFlow(node: Node, body: () => Promise<void>): Promise<void> {
  const ended = new AbortController()
  const writing = (async () => {
    while (!ended.signal.aborted) {
      await logEvents(
        node.database.work,
        range(1, 1 + Math.floor(Math.random() * 4)).map((n) => ({
          type: `test.thing.n${n}`,
          payload: { n },
        })),
      )
      await sleep(Math.random() * 8)
    }
  })()
  try {
    await body()
  } finally {
    ended.abort()
    await writing
  }
}

/** Expects that a client which began behind `after` got every position up to the end, once and in order. */
async function expectAll(node: Node, client: TestClient, after: number): Promise<void> {
  const last = await head(node)
  await client.until(() => Number(client.parser.lastEventId) >= last)
  expect(client.positions()).toEqual(range(after + 1, last))
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 600) throw new Error("not in time")
    await sleep(25)
  }
}

/** Sessions whose last query asked for events of the log, but for the publisher's. */
async function readersOfEvents({ database }: Node): Promise<number> {
  const admin = createPool(database.url, { max: 1 })
  const { rows } = await admin.query<{ readers: number }>(
    `select count(*) as readers from pg_stat_activity
     where datname = current_database() and query like '%select h.position as head, p.*%'
       and pid <> pg_backend_pid() and application_name <> 'signalbox publisher'`,
  )
  await admin.end()
  return rows[0]?.readers ?? 0
}

describe.skipIf(withoutNats !== undefined)("streams by NATS", () => {
  test("show the very bytes and pass the very events that streams of the database do", async () => {
    const node = await streamNode()
    const plain = await streamServer(node.database)
    onTestFinished(() => plain.stop())
    await node.nats.start()
    const first = await node.open()
    await node.byNats()
    const start = await head(node)
    const filters = [
      "",
      `&filter=${encodeURIComponent('{"where":{"payload.token":"[masked]"}}')}`,
      `&filter=${encodeURIComponent('{"where":{"payload.list.n":{"$gt":1}}}')}`,
      "&entities=linear:issue:ENG-1",
      "&actors=octocat&types=**.thing.*",
    ]
    const pairs = await Promise.all(
      filters.map((filter) =>
        Promise.all([node, plain].map((from) => from.open(`?after=${start}&heartbeat=1${filter}`))),
      ),
    )
    const actor = { id: "7", name: "octocat", bot: false }
    const evidence = { field: "title", text: "ENG-1", start: 0, end: 5 }
    await logEvents(node.database.work, [
      {
        payload:
          '{\n "token": "ghp_0123456789abcdefghijABCDEFGHIJ012345",\r\n "big": 123456789012345678901234567890}',
      },
      { type: "test.thing.odd", title: ',"payload":{}', actor, payload: { list: [{ n: 1 }, { n: 2 }] } },
      {
        entity: "linear:issue:ENG-1",
        references: [{ entity: "linear:issue:ENG-1", relation: "mentions", evidence }],
      },
      { contentType: "application/x-www-form-urlencoded", payload: "token=abc&text=hi" },
      { tenant: "another", payload: { secret: "of another" } },
      { payload: { text: "é".repeat(700_000), token: "abcdefghijklmnopqrstuvwxyz0123456789" } }, // more than NATS takes
      { type: "test.probe.sent", title: "the end" },
    ])
    const last = await head(node)
    for (const [byNats, byDatabase] of pairs) {
      for (const client of [byNats, byDatabase])
        await client?.until(() => Number(client.parser.lastEventId) >= last)
      expect(byNats?.messages).toEqual(byDatabase?.messages)
    }
    expect(pairs.map(([client]) => client?.messages.length)).toEqual([6, 3, 1, 1, 1])
    first.cut()
    for (const client of pairs.flat()) client.cut()
  }, 60_000)

  test("take the news from NATS, and ask the database for no event while that keeps up", async () => {
    const node = await streamNode()
    const client = await node.open("?after=earliest")
    await logEvents(node.database.work, [{}])
    await client.count(1)
    expect(await readersOfEvents(node)).toBe(1) // without NATS it is the database
    await node.nats.start()
    await node.byNats()
    await expect.poll(() => readersOfEvents(node), { timeout: 10_000 }).toBe(0)
    let spared = 0
    for (let round = 0; round < 30; round++) {
      await logEvents(node.database.work, [{}, {}])
      const last = await head(node)
      await client.until(() => Number(client.parser.lastEventId) >= last)
      if ((await readersOfEvents(node)) === 0) spared++
    }
    expect(spared).toBeGreaterThan(15) // on a busy machine NATS may be late, and the database is asked then
    await expectAll(node, client, 0)
    client.cut()
  }, 60_000)

  test("go over to the database and back under flow, whatever becomes of NATS, without gap or repeat", async () => {
    const node = await streamNode()
    const client = await node.open("?after=0")
    await underFlow(node, async () => {
      await sleep(500) // NATS has never been there
      await node.nats.start()
      await until(() => node.streaming.feed.byTail)
      for (const store of ["same", "empty", "same"] as const) {
        await sleep(300)
        await node.nats.kill()
        await until(() => !node.streaming.feed.byTail)
        await sleep(400)
        await node.nats.start(store)
        await until(() => node.streaming.feed.byTail)
      }
      node.nats.freeze()
      await until(() => !node.streaming.feed.byTail)
      await sleep(1_000)
      node.nats.thaw()
      await until(() => node.streaming.feed.byTail)
      await withNats(node.nats.url, (jsm) => jsm.streams.delete("SIGNALBOX"))
      await sleep(1_000)
      await until(() => node.streaming.feed.byTail)
    })
    await expectAll(node, client, 0)
    client.cut()
  }, 120_000)

  test("lose their connection to the database again and again, and lose and repeat nothing", async () => {
    const node = await streamNode()
    await node.nats.start()
    const client = await node.open("?after=0")
    await node.byNats()
    const admin = createPool(node.database.url, { max: 1 })
    let ended = 0
    await underFlow(node, async () => {
      for (let round = 0; round < 6; round++) {
        await sleep(200)
        const { rowCount } = await admin.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid()
             and (query like '%event_log_head h%' or query like 'select position from event_log_head%')`,
        )
        ended += rowCount ?? 0
      }
    })
    await admin.end()
    expect(ended).toBeGreaterThan(3)
    await expectAll(node, client, 0)
    client.cut()
  }, 60_000)

  test("serve clients that come back from history, also where NATS has long had what they missed", async () => {
    const node = await streamNode()
    await node.nats.start()
    const holder = await node.open()
    await node.byNats()
    await underFlow(node, async () => {
      for (let round = 0; round < 12; round++) {
        const after = Math.floor(Math.random() * (await head(node)))
        const client = await node.open(`?after=${after}`)
        await client.count(40)
        client.cut()
        const positions = client.positions()
        expect(positions).toEqual(range(after + 1, after + positions.length))
      }
    })
    holder.cut()
  }, 60_000)

  test("hand out events within the process as they were received", async () => {
    const node = await streamNode()
    await node.nats.start()
    const holder = await node.open()
    await node.byNats()
    const after = await head(node)
    const payload = { token: "ghp_0123456789abcdefghijABCDEFGHIJ012345" }
    await logEvents(node.database.work, [{ payload, headers: { "x-sent": "1" } }])
    await holder.until(() => Number(holder.parser.lastEventId) > after)
    for await (const event of node.streaming.streamEvents(["all_events"], { tenant: "default", after })) {
      expect(event).toMatchObject({ headers: { "x-sent": "1" }, payload: { token: "[masked]" } })
      expect(JSON.parse(event.raw.toString())).toEqual(payload)
      break
    }
    holder.cut()
  }, 60_000)

  test("are not told by NATS of a future that the log has given up", async () => {
    const node = await streamNode()
    await node.nats.start()
    const client = await node.open("?after=0")
    await node.byNats()
    const reached = await head(node)
    await client.until(() => Number(client.parser.lastEventId) === reached)
    await node.database.work.query("delete from event_log where position = $1", [reached])
    await node.database.work.query("update event_log_head set position = $1", [reached - 1])
    await client.closed
    const anew = await node.open(`?after=${reached - 1}`)
    await logEvents(node.database.work, [{ title: "anew" }, { title: "and on" }])
    await anew.count(2)
    expect(anew.messages.map(({ data }) => JSON.parse(data).title)).toEqual(["anew", "and on"])
    await node.byNats() // NATS has been told, and is followed again
    await expectAll(node, anew, reached - 1)
    anew.cut()
  }, 60_000)
})
