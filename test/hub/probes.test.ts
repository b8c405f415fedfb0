import { expect, it } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { createHub, type HubOptions } from "../../src/hub.ts"
import { startProxy } from "../ingest/support/database-proxy.ts"
import { testDatabase } from "../support/database.ts"
import { adminKey, until } from "../support/hub.ts"

const database = await testDatabase()

function hubWith(options: HubOptions) {
  return createHub({
    databaseUrl: database.url,
    host: "127.0.0.1",
    adminKey,
    log: silentLog,
    env: {},
    ...options,
  })
}

async function ready(url: string | undefined): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}/readyz`)
  return { status: response.status, body: JSON.parse(await response.text()) }
}

const well = {
  database: "working",
  queue: "working",
  processing: "working",
  handlers: "working",
  deliveries: "working",
  outbox: "working",
  reconciler: "working",
}

it("a probe tells how each part does, and which is in trouble while the database is away", async () => {
  const proxy = await startProxy(database.url)
  await using hub = hubWith({ databaseUrl: proxy.url, port: 0 })
  hub.on("custom.*", () => {})
  await hub.start()
  expect(await ready(hub.url)).toEqual({
    status: 200,
    body: { status: "ready", ...well, streams: expect.any(String) as string },
  })

  proxy.cut()
  const troubled = await until(
    () => ready(hub.url),
    ({ body }) => ["queue", "handlers", "deliveries", "outbox"].every((part) => body[part] === "failing"),
  )
  expect(troubled).toMatchObject({
    status: 503,
    body: { status: "unready", waiting: ["database"], database: "away" },
  })
  const { problems } = troubled.body as { problems: string[] }
  expect(problems).toContainEqual(expect.stringMatching(/^handlers: leases cannot be renewed/))
  expect(JSON.stringify(troubled.body)).not.toMatch(/127\.0\.0\.1|postgres/)

  proxy.mend()
  const mended = await until(
    () => ready(hub.url),
    ({ status, body }) => status === 200 && body["problems"] === undefined,
    30_000,
  )
  expect(mended.body).toMatchObject({ status: "ready", ...well })
}, 90_000)

it("a process without a role of its own to serve opens no port unless it is given one", async () => {
  await using hub = hubWith({ roles: ["worker"] })
  await hub.start()
  expect(hub.url).toBeUndefined()
})

it("a worker that is given a port answers probes and figures there, and nothing else", async () => {
  await using hub = hubWith({ roles: ["worker"], port: 0 })
  await hub.start()
  const headers = { authorization: `Bearer ${adminKey}` }
  const ask = (path: string, method = "GET") => fetch(`${hub.url}${path}`, { method, headers })
  expect((await ask("/healthz")).status).toBe(200)
  expect(await ready(hub.url)).toEqual({ status: 200, body: { status: "ready", ...well } })
  const page = await (await ask("/metrics")).text()
  expect(page).toContain('signalbox_process_info{roles="worker"} 1')
  expect(page).not.toContain("signalbox_streams_")
  for (const [method, path] of [
    ["GET", "/api/v1/events"],
    ["POST", "/api/v1/events"],
    ["GET", "/api/v1/events/stream"],
    ["GET", "/api/v1/keys"],
    ["POST", "/webhooks/github"],
  ] as const) {
    const response = await ask(path, method)
    expect(response.status, path).toBe(404)
    expect(await response.json()).toMatchObject({
      detail: expect.stringContaining("SIGNALBOX_ROLES") as string,
    })
  }
})
