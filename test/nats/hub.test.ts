import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, onTestFinished, test } from "vitest"
import { createHub } from "../../src/hub.ts"
import { silentLog, type Log } from "../../src/core/log.ts"
import { startHubProcess, type HubProcess } from "../hub/support/hub-process.ts"
import { connect } from "../streaming/support/client.ts"
import { testDatabase } from "../support/database.ts"
import { adminKey, startTestHub, until } from "../support/hub.ts"
import { freshDatabases } from "./support/fresh-databases.ts"
import { storedMessages } from "./support/log-in-nats.ts"
import { freePort, ownNats, withoutNats } from "./support/nats-server.ts"

const headers = { authorization: `Bearer ${adminKey}` }
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

function remembering(): { log: Log; lines: string[] } {
  const lines: string[] = []
  const put = (_fields: object, message: string) => void lines.push(message)
  const log: Log = { debug: () => {}, info: put, warn: put, error: put, child: () => log }
  return { log, lines }
}

const database = await testDatabase()
const told = remembering()
const lonely = await startTestHub({
  env: { NATS_URL: `nats://127.0.0.1:${await freePort()}` },
  log: told.log,
})
const plain = await startTestHub()
const fresh = await freshDatabases(2)

test("a hub starts, serves and says so where NATS is away, and its log is no flood", async () => {
  const { hub, url, json } = lonely
  expect(await json("/readyz")).toMatchObject({ status: 200, body: { status: "ready", nats: "away" } })
  const client = await connect(`${url}/api/v1/events/stream`, headers)
  await hub.submitCustomEvent({ type: "thing.happened" })
  await client.count(1)
  client.cut()
  await sleep(3_000)
  const { body } = await json("/api/v1/metrics/nats")
  expect(body).toMatchObject({ connected: false, version: null, publishing: false, streaming: false })
  expect(body.publishedPosition).toBeNull()
  expect(body).toMatchObject({ headPosition: 1, lagEvents: 1 })
  expect(told.lines.filter((line) => line.includes("NATS"))).toHaveLength(1)
}, 60_000)

test("a process tells of its own connection whatever its roles, and not without a key", async () => {
  const { json } = await startTestHub({
    env: { NATS_URL: `nats://127.0.0.1:${await freePort()}`, SIGNALBOX_ROLES: "stream" },
  })
  const { status, body } = await json("/api/v1/metrics/nats")
  expect({ status, body }).toMatchObject({ status: 200, body: { connected: false, headPosition: 0 } })
  expect((await json("/api/v1/metrics/nats", { key: "" })).status).toBe(401)
})

test("a hub without NATS says nothing of it", async () => {
  const { json } = plain
  expect((await json("/readyz")).body).not.toHaveProperty("nats")
  expect((await json("/api/v1/metrics/nats")).status).toBe(404)
})

test("a malformed NATS_URL, or credentials that are not there, stop the start in one line", async () => {
  expect(() => createHub({ env: { NATS_URL: "localhost" }, log: silentLog })).toThrow(/NATS_URL must be/)
  const env = { NATS_URL: "nats://127.0.0.1:4", SIGNALBOX_NATS_CREDS: "/nowhere/to.creds" }
  const hub = createHub({ databaseUrl: database.url, port: 0, env, log: silentLog })
  await expect(hub.start()).rejects.toThrow(
    "configuration: SIGNALBOX_NATS_CREDS names a file that cannot be read",
  )
})

describe.skipIf(withoutNats !== undefined)("with NATS", () => {
  test("metrics tell how far what is published is behind", async () => {
    const nats = await ownNats()
    await nats.start()
    const hub = createHub({
      databaseUrl: fresh().url,
      port: 0,
      host: "127.0.0.1",
      adminKey,
      env: { NATS_URL: nats.url },
      log: silentLog,
    })
    onTestFinished(() => hub.stop())
    await hub.start()
    const json = async (path: string) => {
      const answer = await fetch(`${hub.url}${path}`, { headers })
      // oxlint-disable-next-line typescript/no-explicit-any
      return { body: (await answer.json()) as any }
    }
    for (let n = 0; n < 5; n++) await hub.submitCustomEvent({ type: "thing.happened" })
    const { body } = await until(
      () => json("/api/v1/metrics/nats"),
      (answer) => answer.body.publishedPosition === 5,
    )
    expect(body).toMatchObject({
      stream: "SIGNALBOX",
      connected: true,
      publishing: true,
      headPosition: 5,
      lagEvents: 0,
    })
    expect(body.lagSeconds).toBe(0)
    expect(body.version).toMatch(/^\d+\.\d+\.\d+/)
    expect((await json("/readyz")).body).toMatchObject({ status: "ready", nats: "connected" })
    await nats.kill()
    await until(
      () => json("/readyz"),
      (answer) => answer.body.nats === "away",
    )
    await hub.submitCustomEvent({ type: "thing.happened" })
    const late = await until(
      () => json("/api/v1/metrics/nats"),
      (answer) => answer.body.lagEvents === 1,
    )
    expect(late.body.lagSeconds).toBeGreaterThan(0)
  }, 60_000)

  test("roles in processes of their own, workers and NATS killed under flow: no event missing or twice", async () => {
    const [databaseUrl, nats] = [fresh().url, await ownNats()]
    await nats.start()
    const begin = (roles: string): Promise<HubProcess> =>
      startHubProcess({ DATABASE_URL: databaseUrl, NATS_URL: nats.url, SIGNALBOX_ROLES: roles })
    await using ingest = await begin("ingest,api")
    await using node = await begin("stream")
    let worker = await begin("worker,api")
    try {
      const client = await connect(`${node.url}/api/v1/events/stream?after=0`, headers)
      let sent = 0
      const send = async (): Promise<void> => {
        const body = JSON.stringify({ type: "thing.happened", data: { n: sent } })
        const answer = await fetch(`${ingest.url}/api/v1/events`, {
          method: "POST",
          headers: { ...headers, "content-type": "application/json", "idempotency-key": `n-${sent}` },
          body,
        })
        if (answer.status === 202) sent++
      }
      for (const act of [
        async () => {
          await worker.end("SIGKILL")
          worker = await begin("worker,api")
        },
        async () => {
          await nats.kill()
          await nats.start("same")
        },
        async () => {
          await nats.kill()
          await nats.start("empty")
        },
      ]) {
        const acting = act()
        const done = new AbortController()
        void acting.finally(() => done.abort()).catch(() => {})
        while (!done.signal.aborted) await send()
        for (let n = 0; n < 100; n++) await send()
        await acting
      }
      await client.until(() => client.messages.length >= sent)
      expect(client.positions()).toEqual(range(1, sent))
      const messages = await until(
        () => storedMessages(nats.url),
        (found) => found.at(-1)?.position === sent,
        30_000,
      )
      expect(messages.map(({ position }) => position)).toEqual(range(1, sent)) // in the store begun last
      client.cut()
    } finally {
      await worker.end("SIGKILL")
    }
  }, 120_000)
})
