import { expect, it } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import { createHub } from "../../src/hub.ts"
import { startProxy } from "../ingest/support/database-proxy.ts"
import { testDatabase } from "../support/database.ts"
import { adminKey, startTestHub, until } from "../support/hub.ts"
import { readPrometheus, sampleOf } from "../support/prometheus-text.ts"

const hub = await startTestHub()

async function keyWith(scopes: string[], options: { key?: string; tenant?: string } = {}) {
  const { key, tenant = "default" } = options
  const body = JSON.stringify({ name: scopes.join("+"), scopes, tenant })
  return hub.json("/api/v1/keys", { method: "POST", body, ...(key === undefined ? {} : { key }) })
}

async function samples(key?: string) {
  const response = await hub.request("/metrics", key === undefined ? {} : { key })
  expect(response.status).toBe(200)
  return readPrometheus(await response.text())
}

it("figures are told in Prometheus' format to a key with metrics:read, and to nobody else", async () => {
  expect((await hub.request("/metrics", { key: "" })).status).toBe(401)
  expect((await hub.request("/metrics", { key: "sb_nonsense" })).status).toBe(401)
  for (const scope of ["events:read", "streams:read", "admin"]) {
    const { body } = await keyWith([scope])
    expect((await hub.request("/metrics", { key: body.key })).status).toBe(403)
  }
  const { body } = await keyWith(["metrics:read"])
  const response = await hub.request("/metrics", { key: body.key })
  expect(response.status).toBe(200)
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8")
  const text = await response.text()
  expect(text).toMatch(/^# HELP signalbox_database_up /m)
  expect(text).toMatch(/^# TYPE signalbox_events_logged_total counter$/m)
  expect(text.endsWith("\n")).toBe(true)
})

it("a tenant's administrator makes no key that tells of all tenants", async () => {
  const { body: admin } = await keyWith(["admin"], { tenant: "acme" })
  const refused = await keyWith(["metrics:read"], { tenant: "acme", key: admin.key })
  expect(refused).toMatchObject({ status: 403, body: { code: "forbidden" } })
  expect(refused.body.detail).toContain("SIGNALBOX_ADMIN_KEY")
})

it("what was logged, what lags and what failed is told, of the process and of the hub", async () => {
  const body = JSON.stringify({ name: "board", stream: "all_events", partitions: 2 })
  expect((await hub.json("/api/v1/consumer-groups", { method: "POST", body })).status).toBe(201)
  await hub.hub.submitCustomEvent({ type: "thing.happened" })
  const group = { tenant: "default", kind: "group", consumer: "board" }
  const found = await until(
    samples,
    (now) => (sampleOf(now, "signalbox_consumer_lag_events", group) ?? 0) > 0,
  )
  expect(sampleOf(found, "signalbox_consumer_holders", group)).toBe(0)
  expect(sampleOf(found, "signalbox_events_logged_total")).toBe(1)
  expect(sampleOf(found, "signalbox_event_processing_seconds_count", { platform: "custom" })).toBe(1)
  expect(sampleOf(found, "signalbox_database_up")).toBe(1)
  for (const kind of ["processing", "webhook", "outbox"]) {
    expect(sampleOf(found, "signalbox_dead_letters", { kind })).toBe(0)
  }
  for (const priority of ["critical", "high", "normal", "low"]) {
    expect(sampleOf(found, "signalbox_queue_oldest_job_seconds", { priority })).toBe(0)
  }
  for (const component of [
    "queue",
    "processing",
    "handlers",
    "deliveries",
    "outbox",
    "reconciler",
    "streams",
  ]) {
    expect(sampleOf(found, "signalbox_component_up", { component })).toBe(1)
  }
  expect(sampleOf(found, "process_resident_memory_bytes")).toBeGreaterThan(0)
})

it("streams are counted, and no series is told of a single connection", async () => {
  const before = sampleOf(await samples(), "signalbox_streams_opened_total") ?? Number.NaN
  const ending = new AbortController()
  const headers = { "accept-encoding": "identity" }
  for (const client of ["one", "two"]) {
    const path = `/api/v1/events/stream?client=${client}`
    expect((await hub.request(path, { headers, signal: ending.signal })).status).toBe(200)
  }
  const found = await samples()
  expect(sampleOf(found, "signalbox_streams_opened_total")).toBe(before + 2)
  expect(sampleOf(found, "signalbox_streams_open_by_transport", { transport: "sse" })).toBe(2)
  const open = found.filter(({ name }) => name.startsWith("signalbox_streams_"))
  expect(new Set(open.flatMap(({ labels }) => Object.keys(labels)))).toEqual(new Set(["transport", "reason"]))
  ending.abort()
})

it("names of tenants and streams cannot break the page", async () => {
  const name = 'a"b\\c\nd'
  await hub.database.work.query(
    "insert into stream_subscriptions (tenant, name, kind, stream) values ($1, $1, 'handler', 'all_events')",
    [name],
  )
  const found = await until(samples, (now) =>
    now.some(({ labels }) => labels["consumer"] === String.raw`a\"b\\c\nd`),
  )
  expect(found.length).toBeGreaterThan(50)
})

it("while the database is away a key that was good still has the process' own figures", async () => {
  const database = await testDatabase()
  const proxy = await startProxy(database.url)
  const own = { port: 0, host: "127.0.0.1", adminKey, log: silentLog, env: {} }
  await using other = createHub({ ...own, databaseUrl: proxy.url })
  await other.start()
  const ask = (key: string) => fetch(`${other.url}/metrics`, { headers: { authorization: `Bearer ${key}` } })
  const made = await fetch(`${other.url}/api/v1/keys`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminKey}` },
    body: JSON.stringify({ name: "k", scopes: ["metrics:read"] }),
  })
  const { key }: { key: string } = JSON.parse(await made.text())
  expect(sampleOf(readPrometheus(await (await ask(key)).text()), "signalbox_database_up")).toBe(1)

  proxy.cut()
  const cut = async (bearer: string) => readPrometheus(await (await ask(bearer)).text())
  for (const bearer of [key, adminKey]) {
    const found = await until(
      () => cut(bearer),
      (now) => sampleOf(now, "signalbox_database_up") === 0,
    )
    expect(sampleOf(found, "process_resident_memory_bytes")).toBeGreaterThan(0)
    expect(sampleOf(found, "signalbox_events_logged_total")).toBeUndefined()
  }
  const failing = await until(
    () => cut(adminKey),
    (now) => sampleOf(now, "signalbox_component_up", { component: "outbox" }) === 0,
  )
  expect(sampleOf(failing, "signalbox_component_up", { component: "nats" })).toBeUndefined()
  expect((await ask("sb_a-key-of-nobody")).status).toBe(503)

  proxy.mend()
  await until(
    () => cut(key),
    (now) => sampleOf(now, "signalbox_database_up") === 1,
    30_000,
  )
}, 90_000)
