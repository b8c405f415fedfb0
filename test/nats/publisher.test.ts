import { spawn, type ChildProcess } from "node:child_process"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, onTestFinished, test } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { createNatsLink } from "../../src/nats/link.ts"
import { createPublisher } from "../../src/nats/publisher.ts"
import { readNatsUrl } from "../../src/nats/settings.ts"
import { subjectNames } from "../../src/nats/subject.ts"
import { createPool, type Database } from "../../src/store/database.ts"
import { findPublication } from "../../src/store/log-publications.ts"
import { logEvents } from "../support/events.ts"
import { until } from "../support/hub.ts"
import { freshDatabases } from "./support/fresh-databases.ts"
import { lastPublished, storedMessages, withNats } from "./support/log-in-nats.ts"
import { freePort, ownNats, withoutNats, type OwnNats } from "./support/nats-server.ts"

const fresh = await freshDatabases(18)

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

interface Running {
  publishing: () => boolean
  stop(): Promise<void>
}

/** Has a publisher lose its right in the database alone: what it read before is still being sent. */
const endRight = `select pg_terminate_backend(l.pid) from pg_locks l join pg_stat_activity a using (pid)
  where l.locktype = 'advisory' and l.granted and a.datname = current_database()
    and l.objid = (hashtextextended('signalbox.publish.SIGNALBOX', 0) & 4294967295)::oid`

function startPublisher(database: Pick<Database, "url" | "work">, url: string, settings = {}): Running {
  const address = readNatsUrl(url)
  if (address === null) throw new Error("not an address")
  const link = createNatsLink({ address, log: silentLog })
  const names = subjectNames("signalbox")
  const publisher = createPublisher({ link, database, names, settings, log: silentLog })
  link.start()
  publisher.start()
  let stopped: Promise<void> | undefined
  const stop = () => (stopped ??= publisher.stop().then(() => link.stop()))
  onTestFinished(stop)
  return { publishing: () => publisher.publishing, stop }
}

async function head(database: Database): Promise<number> {
  const { rows } = await database.work.query<{ position: number }>("select position from event_log_head")
  return rows[0]?.position ?? 0
}

async function published(nats: OwnNats, position: number): Promise<void> {
  await until(
    () => lastPublished(nats.url).catch(() => -1),
    (last) => last === position,
    30_000,
  )
}

/** Writes for as long as `body` runs, and waits until all of it is published. */
async function underFlow(database: Database, nats: OwnNats, body: () => Promise<void>): Promise<void> {
  const ended = new AbortController()
  const writing = (async () => {
    while (!ended.signal.aborted) {
      await logEvents(
        database.work,
        range(1, 1 + Math.floor(Math.random() * 8)).map(() => ({ payload: { filling: "x".repeat(2_000) } })),
      )
      await sleep(Math.random() * 4)
    }
  })()
  await body()
  ended.abort()
  await writing
  await published(nats, await head(database))
}

describe.skipIf(withoutNats !== undefined)("the publisher", () => {
  test("publishes every event once, in position order, as everybody may see it", async () => {
    const [database, nats] = [fresh(), await ownNats()]
    await nats.start()
    await logEvents(database.work, [
      { type: "github.push.pushed", payload: { token: "ghp_0123456789abcdefghijABCDEFGHIJ012345" } },
      { tenant: "a.b c*>é", type: "custom.thing.done", title: "ünïcode" },
    ])
    startPublisher(database, nats.url)
    await logEvents(database.work, [{ type: "test.third.one" }])
    await published(nats, 3)
    const messages = await storedMessages(nats.url)
    expect(messages.map(({ subject, position }) => [subject, position])).toEqual([
      ["signalbox.default.github.push.pushed", 1],
      ["signalbox.a%2Eb%20c%2A%3E%C3%A9.custom.thing.done", 2],
      ["signalbox.default.test.third.one", 3],
    ])
    expect(JSON.parse(messages[0]?.body ?? "")).toMatchObject({ position: 1, payload: { token: "[masked]" } })
    expect(JSON.parse(messages[1]?.body ?? "")).toMatchObject({ tenant: "a.b c*>é", title: "ünïcode" })
    expect(messages.map(({ eventId, body }) => eventId === JSON.parse(body).id)).toEqual([true, true, true])
  })

  test("two at once, stopped and started under flow, double nothing and leave nothing out", async () => {
    const [database, nats] = [fresh(), await ownNats()]
    await nats.start()
    await underFlow(database, nats, async () => {
      let first = startPublisher(database, nats.url)
      let second = startPublisher(database, nats.url)
      for (let round = 0; round < 4; round++) {
        await sleep(200 + Math.random() * 200)
        const leads = first.publishing() ? first : second
        await leads.stop()
        if (leads === first) first = startPublisher(database, nats.url)
        else second = startPublisher(database, nats.url)
      }
    })
    const messages = await storedMessages(nats.url)
    expect(messages.map(({ position }) => position)).toEqual(range(1, await head(database)))
  }, 60_000)

  test("one that goes on although its right to publish is gone harms nothing", async () => {
    const [database, nats] = [fresh(), await ownNats()]
    await nats.start()
    const publishers = [startPublisher(database, nats.url), startPublisher(database, nats.url)]
    const admin = createPool(database.url, { max: 1 })
    await underFlow(database, nats, async () => {
      for (let round = 0; round < 5; round++) {
        await sleep(250)
        await admin.query(endRight)
      }
    })
    await admin.end()
    const messages = await storedMessages(nats.url)
    expect(messages.map(({ position }) => position)).toEqual(range(1, await head(database)))
    await until(
      async () => publishers.filter(({ publishing }) => publishing()).length,
      (count) => count === 1,
    )
  }, 60_000)

  test("what one puts down late does not take the place of what its successor has put down", async () => {
    const [database, nats] = [fresh(), await ownNats()]
    await nats.start()
    const [begun, gate, ended] = [0, 1, 2].map(() => Promise.withResolvers<void>())
    const slow = new Proxy(database.work, {
      get: (work, name) =>
        name !== "query"
          ? Reflect.get(work, name)
          : async (query: { text: string; values: unknown[] }) => {
              begun?.resolve()
              await gate?.promise
              return work.query(query).finally(() => ended?.resolve())
            },
    })
    const late = startPublisher({ url: database.url, work: slow }, nats.url)
    await logEvents(database.work, [{}, {}, {}])
    await begun?.promise
    const admin = createPool(database.url, { max: 1 })
    await admin.query(endRight)
    await admin.end()
    startPublisher(database, nats.url)
    await logEvents(database.work, [{}, {}])
    const put = () => findPublication(database.work, "SIGNALBOX")
    await until(put, (found) => found?.position === 5)
    gate?.resolve()
    await ended?.promise
    await late.stop()
    expect(await put()).toEqual({ sequence: 5, position: 5 })
  }, 60_000)

  test("processes killed and held still under flow, at any point, double nothing and leave nothing out", async () => {
    const [database, nats] = [fresh(), await ownNats()]
    await nats.start()
    const children: ChildProcess[] = []
    const program = join(import.meta.dirname, "publisher-child.ts")
    const begin = (): ChildProcess => {
      const child = spawn(process.execPath, [program, database.url, nats.url], { stdio: "inherit" })
      children.push(child)
      return child
    }
    try {
      let leading = begin()
      await published(nats, 0)
      await underFlow(database, nats, async () => {
        for (let round = 0; round < 3; round++) {
          const before = await lastPublished(nats.url)
          await until(
            () => lastPublished(nats.url),
            (last) => last > before,
          )
          await sleep(Math.random() * 300)
          leading.kill("SIGKILL")
          leading = begin()
        }
        const held = leading
        const before = await lastPublished(nats.url)
        await until(
          () => lastPublished(nats.url),
          (last) => last > before,
        )
        held.kill("SIGSTOP")
        const next = begin()
        const stood = await lastPublished(nats.url)
        await until(
          () => lastPublished(nats.url),
          (last) => last > stood + 50,
          40_000,
        ) // the other took over
        held.kill("SIGCONT") // and what it still has in hand it sends
        await sleep(2_000)
        next.kill("SIGKILL")
      })
    } finally {
      for (const child of children) child.kill("SIGKILL")
    }
    const messages = await storedMessages(nats.url)
    expect(messages.map(({ position }) => position)).toEqual(range(1, await head(database)))
  }, 120_000)

  test("a server that is killed and comes back under flow has everything once and in order", async () => {
    const [database, nats] = [fresh(), await ownNats()]
    await nats.start()
    startPublisher(database, nats.url)
    await underFlow(database, nats, async () => {
      for (let round = 0; round < 4; round++) {
        await sleep(150 + Math.random() * 300)
        await nats.kill()
        await sleep(Math.random() * 200)
        await nats.start("same")
      }
      await sleep(300)
    })
    const messages = await storedMessages(nats.url)
    expect(messages.map(({ position }) => position)).toEqual(range(1, await head(database)))
  }, 90_000)

  test("a server that comes back with an empty store is told the whole log anew", async () => {
    const [database, nats] = [fresh(), await ownNats()]
    await nats.start()
    startPublisher(database, nats.url)
    await logEvents(
      database.work,
      range(1, 50).map(() => ({})),
    )
    await published(nats, 50)
    await nats.kill()
    await logEvents(database.work, [{}, {}])
    await nats.start("empty")
    await published(nats, 52)
    const messages = await storedMessages(nats.url)
    expect(messages.map(({ position, seq }) => [position, seq])).toEqual(range(1, 52).map((n) => [n, n]))
  }, 60_000)

  test("a server that hangs is waited for, and one that hung is gone on with", async () => {
    const [database, nats] = [fresh(), await ownNats()]
    await nats.start()
    startPublisher(database, nats.url)
    await logEvents(database.work, [{}])
    await published(nats, 1)
    nats.freeze()
    await logEvents(database.work, [{}, {}])
    await sleep(7_000) // longer than an acknowledgement is waited for
    await logEvents(database.work, [{}])
    nats.thaw()
    await published(nats, 4)
    const messages = await storedMessages(nats.url)
    expect(messages.map(({ position }) => position)).toEqual([1, 2, 3, 4])
  }, 60_000)

  test("positions that retention dropped before they were published are told as a gap", async () => {
    const [database, nats] = [fresh(), await ownNats()]
    await nats.start()
    await logEvents(
      database.work,
      range(1, 6).map(() => ({})),
    )
    await database.work.query("delete from event_log where position in (1, 2, 4)")
    const publisher = startPublisher(database, nats.url)
    await published(nats, 6)
    await publisher.stop()
    await logEvents(database.work, [{}])
    await database.work.query("delete from event_log where position = 7")
    startPublisher(database, nats.url)
    await published(nats, 7)
    const messages = await storedMessages(nats.url)
    expect(
      messages.map(({ subject, notice, position, body }) => [
        subject,
        notice,
        position,
        notice && JSON.parse(body),
      ]),
    ).toEqual([
      ["signalbox.gap", "gap", 2, { from: 1, to: 2 }],
      ["signalbox.default.test.thing.happened", null, 3, null],
      ["signalbox.gap", "gap", 4, { from: 4, to: 4 }],
      ["signalbox.default.test.thing.happened", null, 5, null],
      ["signalbox.default.test.thing.happened", null, 6, null],
      ["signalbox.gap", "gap", 7, { from: 7, to: 7 }],
    ])
  })

  test("a stream whose messages have all aged out, or were purged, goes on where it was", async () => {
    const [database, nats] = [fresh(), await ownNats()]
    await nats.start()
    const publisher = startPublisher(database, nats.url)
    await logEvents(database.work, [{}, {}, {}])
    await published(nats, 3)
    await publisher.stop()
    await withNats(nats.url, (jsm) => jsm.streams.purge("SIGNALBOX"))
    await logEvents(database.work, [{}])
    startPublisher(database, nats.url)
    await published(nats, 4)
    const messages = await storedMessages(nats.url)
    expect(messages.map(({ position }) => position)).toEqual([4])
  })

  test("a log that was set back is told as such, and goes on from what both have in common", async () => {
    const [database, nats] = [fresh(), await ownNats()]
    await nats.start()
    startPublisher(database, nats.url)
    await logEvents(
      database.work,
      range(1, 40).map(() => ({})),
    )
    await published(nats, 40)
    // What a restore of an older dump leaves, after which others have come.
    await database.work.query("delete from event_log where position > 17")
    await database.work.query("update event_log_head set position = 17")
    await logEvents(database.work, [{ title: "anew" }])
    await published(nats, 18)
    const messages = (await storedMessages(nats.url)).slice(40)
    expect(messages.map(({ notice, position }) => [notice, position])).toEqual([
      ["reset", 17],
      [null, 18],
    ])
    expect(JSON.parse(messages[0]?.body ?? "")).toEqual({ after: 17 })
    expect(JSON.parse(messages[1]?.body ?? "")).toMatchObject({ title: "anew" })
  }, 60_000)

  test("a log that was set back and has grown past the stream meanwhile is noticed all the same", async () => {
    const [database, nats] = [fresh(), await ownNats()]
    await nats.start()
    const publisher = startPublisher(database, nats.url)
    await logEvents(
      database.work,
      range(1, 20).map(() => ({})),
    )
    await published(nats, 20)
    await publisher.stop()
    await database.work.query("delete from event_log where position > 5")
    await database.work.query("update event_log_head set position = 5")
    await logEvents(
      database.work,
      range(6, 30).map(() => ({ title: "anew" })),
    )
    startPublisher(database, nats.url)
    await published(nats, 30)
    const messages = (await storedMessages(nats.url)).slice(20)
    expect(messages.map(({ notice, position }) => [notice, position])).toEqual([
      ["reset", 5],
      ...range(6, 30).map((position) => [null, position]),
    ])
  }, 60_000)

  test("the stream of another database is left alone", async () => {
    const [one, other, nats] = [fresh(), fresh(), await ownNats()]
    await nats.start()
    const publisher = startPublisher(one, nats.url)
    await logEvents(one.work, [{}, {}])
    await published(nats, 2)
    await publisher.stop()
    await logEvents(other.work, [{}, {}, {}])
    startPublisher(other, nats.url)
    await sleep(1_500)
    expect(await storedMessages(nats.url)).toHaveLength(2)
  })

  test("an event larger than the server takes is told by a pointer, and holds up nothing", async () => {
    const [database, nats] = [fresh(), await ownNats()]
    await nats.start()
    startPublisher(database, nats.url)
    const [large] = await logEvents(database.work, [{ payload: { text: "é".repeat(700_000) } }, {}])
    await published(nats, 2)
    const [first] = await storedMessages(nats.url)
    expect(first).toMatchObject({ notice: "pointer", position: 1, eventId: large?.id })
    expect(JSON.parse(first?.body ?? "")).toMatchObject({ id: large?.id, position: 1, tenant: "default" })
  })

  test("an event larger than the stream of somebody else's making takes holds up nothing either", async () => {
    const [database, nats] = [fresh(), await ownNats()]
    await nats.start()
    await withNats(nats.url, (jsm) =>
      jsm.streams.add({ name: "SIGNALBOX", subjects: ["signalbox.>"], max_msg_size: 10_000 }),
    )
    startPublisher(database, nats.url)
    await logEvents(database.work, [{ payload: { text: "x".repeat(20_000) } }, {}])
    await published(nats, 2)
    expect((await storedMessages(nats.url)).map(({ notice }) => notice)).toEqual(["pointer", null])
  })

  test("of several servers, one that is there is enough", async () => {
    const [database, nats] = [fresh(), await ownNats()]
    await nats.start()
    startPublisher(database, `nats://127.0.0.1:${await freePort()},${nats.url}`)
    await logEvents(database.work, [{}])
    await published(nats, 1)
    expect(await storedMessages(nats.url)).toHaveLength(1)
  })

  test("the stream is made as the settings say, and what they do not name is left to its owner", async () => {
    const [database, nats] = [fresh(), await ownNats()]
    await nats.start()
    const publisher = startPublisher(database, nats.url, { storage: "memory", maxBytes: 5_000_000 })
    await logEvents(database.work, [{}])
    await published(nats, 1)
    const made = await withNats(nats.url, (jsm) => jsm.streams.info("SIGNALBOX"))
    expect(made.config).toMatchObject({ storage: "memory", max_bytes: 5_000_000, subjects: ["signalbox.>"] })
    expect(made.config.max_age).toBe(7 * 86_400 * 1e9)
    await publisher.stop()
    await withNats(nats.url, (jsm) => jsm.streams.update("SIGNALBOX", { max_age: 3_600 * 1e9 }))
    startPublisher(database, nats.url, { maxBytes: 6_000_000, compression: "s2" })
    await logEvents(database.work, [{}])
    await published(nats, 2)
    const changed = await withNats(nats.url, (jsm) => jsm.streams.info("SIGNALBOX"))
    expect(changed.config).toMatchObject({ max_bytes: 6_000_000, max_age: 3_600 * 1e9 })
  })
})
