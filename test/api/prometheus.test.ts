import { expect, it } from "vitest"
import { metricsAccess } from "../../src/api/prometheus/access.ts"
import { createPrometheus } from "../../src/api/prometheus/prometheus.ts"
import { createAuthenticator, type Authenticate } from "../../src/auth/authenticate.ts"
import { SignalboxError } from "../../src/core/errors.ts"
import { silentLog } from "../../src/core/log.ts"
import { installQueue } from "../../src/queue/install.ts"
import { queueNames } from "../../src/queue/queues.ts"
import type { Db } from "../../src/store/database.ts"
import { testDatabase } from "../support/database.ts"
import { readPrometheus, sampleOf } from "../support/prometheus-text.ts"

const database = await testDatabase()
await installQueue(database.url)
const adminKey = "an admin key of more than 32 characters"

/** The page of a process, by a database that can be watched. */
function pageOf(db: Db, options: { cacheMs?: number; patienceMs?: number } = {}) {
  const { routes } = createPrometheus({ db, queues: queueNames, log: silentLog, ...options })
  const figures = { roles: ["worker"], components: new Map(), pools: {} }
  const app = routes(createAuthenticator({ db, adminKey }), figures)
  return async () => {
    const response = await app.request("/metrics", { headers: { authorization: `Bearer ${adminKey}` } })
    expect(response.status).toBe(200)
    return readPrometheus(await response.text())
  }
}

function watched() {
  let queries = 0
  let running = 0
  let most = 0
  const db: Db = {
    async query(query, values) {
      queries++
      most = Math.max(most, ++running)
      try {
        return await database.work.query(query, values)
      } finally {
        running--
      }
    },
  }
  return { db, queries: () => queries, most: () => most }
}

it("however many ask, the database is asked once, one question at a time, and not again soon", async () => {
  const { db, queries, most } = watched()
  const ask = pageOf(db, { cacheMs: 60_000 })
  const pages = await Promise.all(Array.from({ length: 20 }, ask))
  for (const page of pages) expect(sampleOf(page, "signalbox_database_up")).toBe(1)
  const once = queries()
  await ask()
  expect(queries()).toBe(once)
  expect(most()).toBe(1)
})

it("figures that are old are read anew", async () => {
  const { db } = watched()
  const ask = pageOf(db, { cacheMs: 0 })
  await database.work.query("insert into event_streams (name) values ('x')")
  expect(sampleOf(await ask(), "signalbox_dead_letters", { kind: "outbox" })).toBe(0)
  await database.work.query(
    `insert into dead_letters (tenant, kind, event_id, attempts, error_code, error)
     values ('default', 'outbox', gen_random_uuid(), 12, 'x', 'x')`,
  )
  expect(sampleOf(await ask(), "signalbox_dead_letters", { kind: "outbox" })).toBe(1)
})

it("a database that does not answer holds nobody up, and is asked no second time meanwhile", async () => {
  let asked = 0
  const db: Db = {
    query: () => {
      asked++
      return new Promise(() => {})
    },
  }
  const ask = pageOf(db, { patienceMs: 20 })
  for (let page = 0; page < 3; page++) {
    const found = await ask()
    expect(sampleOf(found, "signalbox_database_up")).toBe(0)
    expect(sampleOf(found, "process_cpu_seconds_total")).toBeGreaterThan(0)
  }
  expect(asked).toBe(1)
})

it("what is switched off lags on purpose, and is no consumer that lags", async () => {
  await database.work.query(
    `insert into stream_subscriptions (tenant, name, kind, stream, status)
     select 'default', status, 'webhook', 'all_events', status
     from unnest(array['active', 'skipping', 'paused', 'disabled']) status`,
  )
  const found = await pageOf(database.work)()
  const lags = found.filter(({ name }) => name === "signalbox_consumer_lag_seconds")
  expect(new Set(lags.map(({ labels }) => labels["consumer"]))).toEqual(new Set(["active", "skipping"]))
  expect(sampleOf(found, "signalbox_figures_left_out", { of: "consumers" })).toBe(0)
  expect(sampleOf(found, "signalbox_webhook_subscriptions", { status: "disabled" })).toBe(1)
  await database.work.query("delete from stream_subscriptions")
})

it("a hub of many tenants has a bounded page, with those furthest behind on it", async () => {
  await database.work.query(
    `with made as (
       insert into stream_subscriptions (tenant, name, kind, stream)
       select 'tenant' || n, 'board', 'group', 'all_events' from generate_series(1, 1000) n returning id, tenant)
     insert into subscription_partitions (subscription_id, partition, position)
     select id, 0, case when tenant = 'tenant777' then 0 else 5 end from made`,
  )
  const found = await pageOf(database.work)()
  const lags = found.filter(({ name }) => name === "signalbox_consumer_lag_events")
  expect(lags).toHaveLength(200)
  expect(lags.map(({ labels }) => labels["tenant"])).toContain("tenant777")
  expect(sampleOf(found, "signalbox_figures_left_out", { of: "consumers" })).toBe(800)
})

it("while keys cannot be looked up only one that was good is let in, and none that was revoked", async () => {
  const principal = { keyId: "1", tenant: "default", scopes: new Set(["metrics:read"]) }
  let answer: Authenticate = () => Promise.resolve(principal)
  const access = metricsAccess({ authenticate: (headers) => answer(headers), patienceMs: 20 })
  const known = new Headers({ authorization: "Bearer sb_known" })
  const other = new Headers({ authorization: "Bearer sb_other" })
  expect(await access(known)).toBe("all")

  answer = () => new Promise(() => {}) // no answer at all
  expect(await access(known)).toBe("process")
  await expect(access(other)).rejects.toMatchObject({ code: "unavailable" })

  answer = () => Promise.reject(new SignalboxError("unauthenticated", "revoked"))
  await expect(access(known)).rejects.toMatchObject({ code: "unauthenticated" })
  answer = () => Promise.reject(new SignalboxError("unavailable", "away"))
  await expect(access(known)).rejects.toMatchObject({ code: "unavailable" })

  answer = () => Promise.resolve({ ...principal, scopes: new Set(["admin"]) })
  await expect(access(other)).rejects.toMatchObject({ code: "forbidden" })
})
