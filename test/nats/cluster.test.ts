import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, onTestFinished, test } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { createNatsLink } from "../../src/nats/link.ts"
import { createPublisher } from "../../src/nats/publisher.ts"
import { readNatsUrl } from "../../src/nats/settings.ts"
import { subjectNames } from "../../src/nats/subject.ts"
import { logHead } from "../../src/store/log-pages.ts"
import { logEvents } from "../support/events.ts"
import { until } from "../support/hub.ts"
import { freshDatabases } from "./support/fresh-databases.ts"
import { lastPublished, storedMessages, withNats } from "./support/log-in-nats.ts"
import { freePort, ownNats, withoutNats, type OwnNats } from "./support/nats-server.ts"

const fresh = await freshDatabases(1)

/** Three servers that know each other. */
async function ownCluster(): Promise<OwnNats[]> {
  const ports = [await freePort(), await freePort(), await freePort()]
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`)
  const servers = await Promise.all(
    routes.map((route, index) =>
      ownNats([
        "-n",
        `n${index}`,
        "--cluster_name",
        "test",
        "--cluster",
        route,
        "--routes",
        routes.join(","),
      ]),
    ),
  )
  await Promise.all(servers.map((server) => server.start()))
  return servers
}

/** Servers that do not hold the whole stream yet; a second one may be lost only at 0, or no two agree. */
async function replicasBehind(url: string): Promise<number> {
  const asked = withNats(url, (jsm) => jsm.streams.info("SIGNALBOX"))
  const replicas = (await asked.catch(() => null))?.cluster?.replicas ?? []
  return 2 - replicas.filter(({ current, offline }) => current && !offline).length
}

describe.skipIf(withoutNats !== undefined)("a cluster", () => {
  test("whose servers are killed one after the other has every event once and in order", async () => {
    const database = fresh()
    const servers = await ownCluster()
    const url = servers.map((server) => server.url).join(",")
    const address = readNatsUrl(url)
    if (address === null) throw new Error("not an address")
    const link = createNatsLink({ address, log: silentLog })
    const names = subjectNames("signalbox")
    const publisher = createPublisher({ link, database, names, settings: { replicas: 3 }, log: silentLog })
    link.start()
    publisher.start()
    onTestFinished(() => publisher.stop().then(() => link.stop()))
    const last = (): Promise<number> => lastPublished(url).catch(() => 0)
    const ended = new AbortController()
    const writing = (async () => {
      while (!ended.signal.aborted) {
        await logEvents(database.work, [{}, { payload: { filling: "x".repeat(2_000) } }, {}])
        await sleep(10)
      }
    })()
    try {
      for (const server of [...servers, undefined]) {
        await until(
          () => replicasBehind(url),
          (behind) => behind === 0,
          60_000,
        )
        const before = await last()
        await until(last, (position) => position > before + 20, 60_000)
        await server?.kill()
        if (server === undefined) break
        const stood = await last()
        await until(last, (position) => position > stood + 20, 60_000) // the two others go on
        await server.start("same")
      }
    } finally {
      ended.abort()
      await writing
    }
    const head = await logHead(database.work)
    await until(last, (position) => position === head, 60_000)
    const messages = await storedMessages(url)
    expect(messages.map(({ position }) => position)).toEqual(
      Array.from({ length: head }, (_, index) => index + 1),
    )
    const info = await withNats(url, (jsm) => jsm.streams.info("SIGNALBOX"))
    expect(info.config.num_replicas).toBe(3)
  }, 180_000)
})
