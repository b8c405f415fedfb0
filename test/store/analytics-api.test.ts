import { Hono } from "hono"
import { beforeAll, expect, it } from "vitest"
import { deliveryMetricRoutes } from "../../src/api/delivery-metrics.ts"
import type { AuthEnv } from "../../src/auth/middleware.ts"
import { createPool, readAs } from "../../src/store/database.ts"
import { testDatabase } from "../support/database.ts"
import { quietProblems } from "../support/quiet-problems.ts"
import { at } from "./analytics-requests.ts"
import { story } from "./analytics-story.ts"
import { startTakingIn } from "./take-in.ts"

const database = await testDatabase()
const takeIn = await startTakingIn(database)
beforeAll(() => takeIn("acme", story))

const app = quietProblems(new Hono<AuthEnv>())
app.use(async (c, next) => {
  const tenant = c.req.header("x-tenant") ?? "acme"
  c.set("principal", { keyId: "test", tenant, scopes: new Set(["events:read"]) })
  await next()
})
app.route(
  "/metrics/delivery",
  deliveryMetricRoutes(database, () => at("Wed 09:00")),
)

async function get(query: string, tenant = "acme") {
  const response = await app.request(`/metrics/delivery${query}`, { headers: { "x-tenant": tenant } })
  return { status: response.status, body: await response.json() }
}

it("the last thirty days of production are answered where nothing else is asked for", async () => {
  expect(await get("")).toEqual({
    status: 200,
    body: {
      environment: "production",
      since: "2026-10-19T09:00:00.000Z",
      until: "2026-11-18T09:00:00.000Z",
      releases: 10,
      succeeded: 9,
      deploymentsPerDay: 0.3,
      failures: 5,
      changeFailureRate: 0.5,
      restored: 5,
      timeToRestoreSeconds: 1200,
      pullRequests: 9,
      // the fifth of 140 70 55 17 70 30 15 30 20 minutes in their order, and so on
      leadTimeSeconds: 1800,
      codingSeconds: 600,
      pickupSeconds: 600,
      reviewSeconds: 1200,
      deploySeconds: 600,
    },
  })
})

it("a range counts what came to an end in it, and an environment goes by its name or kind", async () => {
  const tuesday = "since=2026-11-17T00:00:00Z&until=2026-11-18T00:00:00Z"
  expect((await get(`?${tuesday}`)).body).toMatchObject({
    releases: 4,
    succeeded: 4,
    deploymentsPerDay: 4,
    failures: 3,
    changeFailureRate: 0.75,
    pullRequests: 4,
    pickupSeconds: null,
  })
  expect((await get("?environment=Staging")).body).toMatchObject({
    environment: "staging",
    releases: 1,
    failures: 0,
    pullRequests: 0,
    leadTimeSeconds: null,
  })
})

it("takes a date for its beginning in UTC, and figures of one service alone", async () => {
  const whole = await get("?since=2026-11-17T00:00:00Z&until=2026-11-18T00:00:00Z")
  expect(await get("?since=2026-11-17&until=2026-11-18")).toEqual(whole)
  const { rows } = await database.work.query<{ service: string }>(
    "select distinct service from release_outcomes where environment_kind = 'production'",
  )
  const figuresOf = async (query: string) =>
    (await get(query)).body as { service?: string; releases: number; pullRequests: number }
  const all = await figuresOf("")
  let [releases, changes] = [0, 0]
  for (const { service } of rows) {
    const figures = await figuresOf(`?service=${encodeURIComponent(service)}`)
    expect(figures.service).toBe(service)
    releases += figures.releases
    changes += figures.pullRequests
  }
  expect([releases, changes]).toEqual([all.releases, all.pullRequests])
  expect((await get("?service=acme%2Fnone")).body).toMatchObject({ releases: 0, pullRequests: 0 })
})

it("a time that is none is refused with one that would do", async () => {
  for (const since of ["30d", "yesterday", "2026-11-31"]) {
    expect(await get(`?since=${since}`)).toMatchObject({
      status: 400,
      body: {
        detail: "since: must be a time such as 2026-11-01T00:00:00Z, or a date such as 2026-11-01",
      },
    })
  }
})

it("nothing is answered of another tenant, and no rate of nothing", async () => {
  expect((await get("", "other")).body).toMatchObject({
    releases: 0,
    deploymentsPerDay: 0,
    changeFailureRate: null,
    timeToRestoreSeconds: null,
    pullRequests: 0,
  })
})

it("an environment goes by any of its names", async () => {
  const { body } = await get("?environment=production")
  expect((await get("?environment=Prod")).body).toEqual(body)
  expect((await get("?environment=stage")).body).toMatchObject({ environment: "staging", releases: 1 })
})

it("figures are read two at a time, and leave connections to everyone else", async () => {
  const impatient = quietProblems(new Hono<AuthEnv>())
  impatient.use(async (c, next) => {
    c.set("principal", { keyId: "test", tenant: "acme", scopes: new Set(["events:read"]) })
    await next()
  })
  impatient.route(
    "/",
    deliveryMetricRoutes(database, () => at("Wed 09:00"), { waitMs: 20 }),
  )
  const ask = async () => impatient.request("/")
  const admin = createPool(database.url, { max: 1 })
  try {
    await admin.query("begin; lock table deployment_states in access exclusive mode")
    const first = [ask(), ask()]
    const refused = await Promise.all(Array.from({ length: 5 }, () => ask()))
    expect(refused.map(({ status }) => status)).toEqual([429, 429, 429, 429, 429])
    expect(refused[0]?.headers.get("retry-after")).toBe("5")
    expect(await refused[0]?.json()).toMatchObject({
      code: "too_many_requests",
      detail: expect.stringContaining("2 requests for figures of delivery are being answered already"),
    })
    const { rows } = await readAs(database, "acme", (db) => db.query("select 1 as one"))
    expect(rows).toEqual([{ one: 1 }])
    await admin.query("rollback")
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200])
    // Nobody's place was lost.
    const again = await Promise.all([ask(), ask()])
    expect(again.map(({ status }) => status)).toEqual([200, 200])
  } finally {
    await admin.end()
  }
})

it("a read whose time is up asks for a shorter range", async () => {
  const slow = quietProblems(new Hono())
  slow.get("/", async (c) => {
    await readAs(database, "acme", async (db) => {
      await db.query("set local statement_timeout = '1ms'")
      await db.query("select pg_sleep(10)")
    })
    return c.json({})
  })
  const response = await slow.request("/")
  expect([response.status, await response.json()]).toMatchObject([
    503,
    { code: "unavailable", detail: expect.stringContaining("ask for a shorter range") },
  ])
})

it.each([
  "?since=yesterday",
  "?window=30",
  "?since=2026-11-19T00:00:00Z",
  "?environment=",
  "?until=9999-12-31T23:59:59-23:59",
  "?until=0001-01-05T00:00:00Z",
])("%s is refused", async (query) => {
  expect(await get(query)).toMatchObject({ status: 400, body: { code: "bad_request" } })
})
