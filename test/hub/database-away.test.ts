import { expect, it } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { createHub } from "../../src/hub.ts"
import { startProxy } from "../ingest/support/database-proxy.ts"
import { testDatabase } from "../support/database.ts"
import { adminKey } from "../support/hub.ts"

const database = await testDatabase()

it("while the database is away every route says so, and when to come back", async () => {
  const proxy = await startProxy(database.url)
  await using hub = createHub({
    databaseUrl: proxy.url,
    port: 0,
    host: "127.0.0.1",
    adminKey,
    log: silentLog,
    env: {},
  })
  await hub.start()
  const made = await fetch(`${hub.url}/api/v1/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminKey}` },
    body: JSON.stringify({ name: "k", scopes: ["admin"] }),
  })
  const { key }: { key: string } = JSON.parse(await made.text())

  proxy.cut()
  for (const bearer of [key, adminKey]) {
    for (const [method, path] of [
      ["POST", "/api/v1/events"],
      ["GET", "/api/v1/events"],
      ["GET", "/api/v1/events/00000000-0000-7000-8000-000000000000"],
      ["GET", "/api/v1/entities/linear:issue:ENG-1/timeline"],
      ["GET", "/api/v1/streams"],
      ["GET", "/api/v1/metrics"],
      ["GET", "/api/v1/events/stream?after=earliest"],
    ] as const) {
      const response = await fetch(hub.url + path, {
        method,
        headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
        ...(method === "POST" ? { body: '{"type":"a.b"}' } : {}),
      })
      const text = await response.text()
      expect([response.status, path, text]).toEqual([503, path, expect.stringContaining('"unavailable"')])
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0)
      expect(response.headers.get("content-type")).toBe("application/problem+json")
    }
  }
  expect((await fetch(`${hub.url}/readyz`)).status).toBe(503)
  expect((await fetch(`${hub.url}/healthz`)).status).toBe(200)

  proxy.mend()
  const patience = Date.now() + 15_000
  let status = 0
  while (status !== 200 && Date.now() < patience) {
    status = (await fetch(`${hub.url}/api/v1/events`, { headers: { authorization: `Bearer ${key}` } })).status
  }
  expect(status).toBe(200)
}, 60_000)
