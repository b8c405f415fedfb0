import { expect, it } from "vitest"
import { testDatabase } from "../support/database.ts"
import { entityApi } from "../support/entity-api.ts"
import { createTaken, github, issue, linearIssue, pr, pullRequest } from "./deliveries.ts"

const database = await testDatabase()
const taken = createTaken(database)
/** When our clock had taken in so many deliveries. */
const after = (deliveries: number) => new Date(Date.UTC(2026, 10, 22) + (deliveries - 1) * 1000).toISOString()

const tenant = await taken([
  linearIssue("create", 0, { state: { name: "Todo" } }),
  pullRequest("opened", 1, { title: "ENG-1: Limits" }),
  linearIssue("update", 2, { identifier: "OPS-5", team: { key: "OPS" }, previousIdentifiers: ["ENG-1"] }),
  github(
    "repository",
    { action: "renamed", changes: { repository: { name: { from: "api" } } } },
    "acme/core",
  ),
  pullRequest("closed", 30, { closed: true, title: "ENG-1: Limits" }, "acme/core"),
])

const app = entityApi(database, tenant)

interface Answer {
  aliases: string[]
  fields: object
  events: { id: string }[]
  links: { from: string; to: string; relation: string }[]
  entity: string
  state: string | null
  title: string | null
}

async function get(key: string, answer: string, asOf: string): Promise<Answer> {
  const response = await app.request(`/api/v1/entities/${encodeURIComponent(key)}${answer}?asOf=${asOf}`)
  const body: Answer = JSON.parse(await response.text())
  expect([response.status, body]).toEqual([
    200,
    expect.not.objectContaining({ firstHeardAt: expect.anything() }),
  ])
  expect(body).not.toHaveProperty("onlyMentionedBy")
  return body
}

it.each([
  ["an issue that was moved", issue, "linear:issue:OPS-5"],
  ["a pull request of a repository that was renamed", pr, "github:pull_request:acme/core#42"],
])("of %s, its key of now tells what was known by its old one", async (_, old, now) => {
  const asOf = after(2)
  const status = await get(now, "/status", asOf)
  expect(status).toEqual({ ...(await get(old, "/status", asOf)), entity: now })
  expect([status.state, status.title]).not.toContain(null)

  const told = await get(now, "/timeline", asOf)
  expect(told).toEqual({ ...(await get(old, "/timeline", asOf)), entity: now })
  expect(told.events).toHaveLength(2)

  const { links } = await get(now, "/links", asOf)
  expect(links).toEqual((await get(old, "/links", asOf)).links)
  expect(links).toContainEqual(expect.objectContaining({ from: pr, to: issue, relation: "implements" }))

  const view = await get(now, "", asOf)
  expect(view.fields).toEqual((await get(old, "", asOf)).fields)
  expect(view.fields).not.toEqual({})
  expect(view.aliases).toContain(old)
  expect(view.aliases).not.toContain(now)
})

it("before it was known by any key, when it first was", async () => {
  const path = "/api/v1/entities/linear:issue:OPS-5/status?asOf=2026-11-01"
  expect(await (await app.request(path)).json()).toMatchObject({
    firstHeardAt: new Date(after(1)).toISOString(),
  })
})
