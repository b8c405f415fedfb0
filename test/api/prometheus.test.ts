import { expect, it } from "vitest"
import { metricsAccess } from "../../src/api/prometheus/access.ts"
import { createPrometheus } from "../../src/api/prometheus/prometheus.ts"
import { createAuthenticator, type Authenticate } from "../../src/auth/authenticate.ts"
import { SignalboxError } from "../../src/core/errors.ts"
import { silentLog } from "../../src/core/log.ts"
import { installQueue } from "../../src/queue/install.ts"
import { queueNames } from "../../src/queue/queues.ts"
import type { Db } from "../../src/store/database.ts"
import { readHubFigures } from "../../src/store/hub-figures.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/hub.ts"
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

it("of a slow database the last figures are told, with their age, and it is up", async () => {
  const held: (() => void)[] = []
  let slow = false
  const db: Db = {
    async query(query, values) {
      const isProbe = query === "select 1"
      if (slow && !isProbe) await new Promise<void>((resolve) => held.push(resolve))
      return database.work.query(query, values)
    },
  }
  const ask = pageOf(db, { cacheMs: 0, patienceMs: 300 })
  const first = await until(ask, (page) => sampleOf(page, "signalbox_events_logged_total") !== undefined)
  const age = sampleOf(first, "signalbox_figures_age_seconds")
  slow = true
  for (let page = 0; page < 3; page++) {
    const found = await ask()
    expect(sampleOf(found, "signalbox_database_up")).toBe(1)
    expect(sampleOf(found, "signalbox_events_logged_total")).toBe(0)
    expect(sampleOf(found, "signalbox_figures_age_seconds")).toBeGreaterThan(age!)
  }
  expect(held).toHaveLength(1) // one read goes on
  // It is told once it is there, however long it took.
  await database.work.query(
    `insert into dead_letters (tenant, kind, event_id, attempts, error_code, error)
     values ('default', 'processing', gen_random_uuid(), 12, 'x', 'x')`,
  )
  slow = false
  for (const go of held) go()
  await until(ask, (page) => sampleOf(page, "signalbox_dead_letters", { kind: "processing" }) === 1)
})

it("of a slow database that was never read nothing is told, but that it is up", async () => {
  const db: Db = {
    query: async (query, values) =>
      query === "select 1" ? database.work.query(query, values) : new Promise(() => {}),
  }
  const found = await pageOf(db, { patienceMs: 300 })()
  expect(sampleOf(found, "signalbox_database_up")).toBe(1)
  expect(sampleOf(found, "signalbox_figures_age_seconds")).toBeUndefined()
  expect(sampleOf(found, "signalbox_events_logged_total")).toBeUndefined()
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

it("a source that is disabled is no source that lags, and one never complete is told of", async () => {
  await database.work.query(
    `with made as (
       insert into sources (platform, name, version, enabled) values ('github', 'good', 1, true),
         ('github', 'refused', 1, true), ('github', 'left', 1, false), ('custom', 'pushes', 1, true)
       returning id, tenant, name)
     insert into source_completeness (source_id, tenant, complete_through, problem)
     select id, tenant, case when name <> 'refused' then now() - interval '3 hours' end,
       case when name = 'refused' then 'bad credentials' end
     from made where name <> 'pushes'`,
  )
  const found = await pageOf(database.work)()
  const told = (name: string) =>
    Object.fromEntries(
      found.filter((sample) => sample.name === name).map(({ labels, value }) => [labels["source"], value]),
    )
  expect(Object.keys(told("signalbox_source_complete_through_age_seconds"))).toEqual(["good"])
  expect(told("signalbox_source_completeness_unknown")).toEqual({ good: 0, refused: 1 })
  expect(told("signalbox_source_problem")).toEqual({ good: 0, refused: 1 })
  expect(Object.keys(told("signalbox_source_gaps"))).not.toContain("left")
  expect(sampleOf(found, "signalbox_figures_left_out", { of: "sources" })).toBe(0)
  const few = await readHubFigures(database.work, queueNames, { counted: 1, named: 1 })
  expect(few.sources).toMatchObject([{ source: "refused" }])
})

it("dead letters of one consumer beyond the limit hide none of others", async () => {
  await database.work.query("delete from dead_letters")
  await database.work.query(
    `with made as (
       insert into stream_subscriptions (tenant, name, kind, stream)
       values ('default', 'hook', 'webhook', 'all_events'), ('default', 'other hook', 'webhook', 'all_events'),
         ('default', 'board', 'group', 'all_events')
       returning id, name, kind)
     insert into dead_letters (tenant, kind, event_id, subscription_id, attempts, error_code, error, status)
     select 'default', kind, gen_random_uuid(), id, 1, 'x', 'x', status from (
       select kind, id, 'open' as status from made, generate_series(1, 20) where name = 'hook'
       union all select kind, id, 'open' from made where name <> 'hook'
       union all select kind, id, 'retried' from made
       union all select 'outbox', null, 'open' from generate_series(1, 20)
       union all select 'processing', null, 'open') letters`,
  )
  const { deadLetters } = await readHubFigures(database.work, queueNames, { counted: 5, named: 200 })
  const open = Object.fromEntries(deadLetters.map((found) => [found.kind, found.open]))
  expect(open).toEqual({ group: 1, outbox: 5, processing: 1, webhook: 6 })
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
