import { Hono } from "hono"
import { beforeAll, expect, it } from "vitest"
import { deliveryMetricRoutes } from "../../src/api/delivery-metrics.ts"
import { problemHandlers } from "../../src/api/problem.ts"
import type { AuthEnv } from "../../src/auth/middleware.ts"
import { silentLog } from "../../src/core/log.ts"
import { testDatabase } from "../support/database.ts"
import { at } from "./analytics-requests.ts"
import { story } from "./analytics-story.ts"
import { startTakingIn } from "./take-in.ts"

const database = await testDatabase()
const takeIn = await startTakingIn(database)
beforeAll(() => takeIn("acme", story))

const app = new Hono<AuthEnv>()
const { onError, notFound } = problemHandlers(silentLog)
app.onError(onError)
app.notFound(notFound)
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

it("nothing is answered of another tenant, and no rate of nothing", async () => {
  expect((await get("", "other")).body).toMatchObject({
    releases: 0,
    deploymentsPerDay: 0,
    changeFailureRate: null,
    timeToRestoreSeconds: null,
    pullRequests: 0,
  })
})

it.each(["?since=yesterday", "?window=30", "?since=2026-11-19T00:00:00Z", "?environment="])(
  "%s is refused",
  async (query) => {
    expect(await get(query)).toMatchObject({ status: 400, body: { code: "bad_request" } })
  },
)
