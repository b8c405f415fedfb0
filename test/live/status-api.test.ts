import { Hono } from "hono"
import { expect, it } from "vitest"
import { problemHandlers } from "../../src/api/problem.ts"
import { statusRoutes } from "../../src/api/status.ts"
import { silentLog } from "../../src/core/log.ts"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import { platforms } from "../../src/platforms/index.ts"
import { createDerive } from "../../src/processing/derive.ts"
import { reprocess } from "../../src/processing/reprocess.ts"
import { testDatabase } from "../support/database.ts"
import { createRepository, minute, statusOf, takeIn, testWriter } from "./repository.ts"

const database = await testDatabase()
const writer = testWriter(database)

const app = new Hono()
const { onError, notFound } = problemHandlers(silentLog)
app.onError(onError)
app.notFound(notFound)
app.route(
  "/api/v1/entities",
  statusRoutes(database, (c) => c.req.header("x-tenant") ?? "default"),
)

async function get(path: string, tenant: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await app.request(`/api/v1/entities/${path}`, { headers: { "x-tenant": tenant } })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

const repository = createRepository()
repository.deploy(1, repository.grow("main", "Begin for good"))
const squash = repository.squash(repository.open(42, "ENG-123: Limit requests"))
const mergedAt = repository.deliveries.length
repository.deploy(2, squash, { ref: "refs/tags/v1.2.0" })
const since = minute(repository.time())
const tenant = await takeIn(writer, repository.deliveries)

it("is asked by key, encoded or as it stands, and answers in JSON", async () => {
  for (const key of ["linear:issue:ENG-123", "linear%3Aissue%3Aeng-123"]) {
    const { status, body } = await get(`${key}/status`, tenant)
    expect(status).toBe(200)
    expect(body).toMatchObject({
      entity: "linear:issue:ENG-123",
      live: [{ environment: "production", since: new Date(since).toISOString(), version: "v1.2.0" }],
      pending: [],
      pullRequests: [{ entity: "github:pull_request:acme/api#42", merged: true }],
      summary: `merged, live in production since ${since}`,
    })
  }
})

it("tells what was known at an earlier time", async () => {
  const before = new Date(Date.UTC(2026, 10, 22) + (mergedAt - 1) * 1000)
  const { body } = await get(`linear:issue:ENG-123/status?asOf=${before.toISOString()}`, tenant)
  expect(body).toMatchObject({ live: [], summary: "merged, not live in production" })
  expect(await get("linear:issue:ENG-123/status?asOf=yesterday", tenant)).toMatchObject({ status: 400 })
})

it("shows a tenant nothing of another's", async () => {
  const other = createRepository()
  other.deploy(1, other.grow("main", "Begin for good"))
  const theirs = await takeIn(writer, other.deliveries)
  expect(await get("linear:issue:ENG-123/status", theirs)).toMatchObject({ status: 404 })
  // asked with another tenant's name, a reader finds nothing even so
  const { live, pullRequests } = await statusOf(database, tenant, "linear:issue:ENG-123")
  expect([live.length, pullRequests.length]).toEqual([1, 1])
  for (const table of ["pushes", "pushed_commits", "merged_pull_requests", "deployment_states"]) {
    const client = await database.read.connect()
    try {
      await client.query("begin read only")
      await client.query("select set_config('signalbox.tenant', $1, true)", [theirs])
      const { rows } = await client.query<{ tenant: string }>(`select distinct tenant from ${table}`)
      expect([table, rows.filter((row) => row.tenant !== theirs)]).toEqual([table, []])
      await client.query("rollback")
    } finally {
      client.release()
    }
  }
})

it("refuses what is no key, and says of what nothing is known", async () => {
  expect(await get("ENG-123/status", tenant)).toMatchObject({ status: 400 })
  expect(await get("linear:issue:ENG-999/status", tenant)).toMatchObject({
    status: 404,
    body: { detail: "nothing is known of linear:issue:ENG-999" },
  })
})

const unheard: [string, string][] = [
  ["of a repository that nobody has heard of", "github:pull_request:acme/zzz#99"],
  ["of one that is deployed", "github:pull_request:acme/api#99999"],
  ["without its number", "github:pull_request:acme/api"],
]

it.each(unheard)("says of a pull request %s that nothing is known of it", async (_, key) => {
  const path = `${encodeURIComponent(key)}/status`
  for (const query of ["", "?asOf=2020-01-01", "?asOf=2030-01-01"]) {
    const { status, body } = await get(path + query, tenant)
    expect([status, body["detail"]]).toEqual([
      404,
      expect.stringMatching(`^nothing is known of ${key}($|; in an address # is %23$)`),
    ])
  }
})

it("of a pull request and a commit that only events on other things name, it tells all the same", async () => {
  const named = `github:commit:${"9".repeat(40)}`
  const talk = createRepository("acme/talk")
  talk.open(1, "Go on", { body: `Builds on https://github.com/acme/zzz/pull/7 and ${"9".repeat(40)}` })
  const theirs = await takeIn(writer, talk.deliveries)
  expect(await get(`${encodeURIComponent("github:pull_request:acme/zzz#7")}/status`, theirs)).toMatchObject({
    status: 200,
    body: { state: null, onlyMentionedBy: ["github:pull_request:acme/talk#1"] },
  })
  expect(await get(`${named}/status`, theirs)).toMatchObject({ status: 200 })
  expect(await get(`${named}/status`, tenant)).toMatchObject({ status: 404 })
})

it("of a commit that a push or a deployment alone names, by its SHA, it tells where it is live", async () => {
  const own = createRepository()
  const pushed = own.grow("main", "Begin for good")
  own.deploy(1, pushed)
  const theirs = await takeIn(writer, own.deliveries)
  expect(await get(`github:commit:${pushed.sha}/status`, theirs)).toMatchObject({
    status: 200,
    body: { state: "pushed", live: [{ environment: "production" }] },
  })
  const deployed = await takeIn(writer, own.deliveries.slice(-2))
  expect(await get(`github:commit:${pushed.sha}/status`, deployed)).toMatchObject({ status: 200 })
})

it("says the same after everything was derived anew", async () => {
  const entities = ["linear:issue:ENG-123", "github:pull_request:acme/api#42", "deployment:github/2"]
  const before = await Promise.all(entities.map((entity) => statusOf(database, tenant, entity)))
  const { rows } = await database.work.query<{ id: string }>("select id from events where tenant = $1", [
    tenant,
  ])
  await database.work.query("delete from pushed_commits where tenant = $1", [tenant])
  const derive = createDerive(platforms, createCorrelation({ platforms }).correlate)
  const { mended, failed } = await reprocess(
    { pool: writer, derive },
    rows.map(({ id }) => id),
  )
  expect([mended, failed]).toEqual([rows.length, []])
  expect(await Promise.all(entities.map((entity) => statusOf(database, tenant, entity)))).toEqual(before)
})
