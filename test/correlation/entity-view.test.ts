import { Hono } from "hono"
import { describe, expect, it } from "vitest"
import { entityRoutes } from "../../src/api/entities.ts"
import { testDatabase } from "../support/database.ts"
import { quietProblems } from "../support/quiet-problems.ts"
import { comment, linearIssue, pr, pullRequest, takeIn, timeAt, toSecond } from "./deliveries.ts"

const database = await testDatabase()
const app = quietProblems(new Hono())
app.route(
  "/api/v1/entities",
  entityRoutes(database, (c) => c.req.header("x-tenant") ?? "default"),
)

/** An entity as the API shows it; of a problem, no more than that it is one. */
interface Shown {
  key: string
  kind: string
  aliases: string[]
  fields: Record<string, { value: unknown; at: string; eventId: string } | undefined>
  deletedAt?: string
}

async function get(path: string, tenant = "default") {
  const response = await app.request(`/api/v1/entities/${path}`, { headers: { "x-tenant": tenant } })
  return { status: response.status, body: (await response.json()) as Shown }
}

const began = new Date("2026-11-22T00:00:00Z")
await takeIn(
  database,
  "default",
  [
    pullRequest("opened", 0, { body: "Closes ENG-7", labels: ["bug"] }),
    comment("created", 10, "Nice"),
    pullRequest(
      "closed",
      20,
      { body: "x".repeat(300), title: "Limit all requests", closed: true },
      "acme/core",
    ),
    comment("deleted", 30, "Nice"),
    linearIssue("create", 5, { priorityLabel: "High", labels: [{ name: "api" }], cycle: { number: 3 } }),
  ],
  began,
)
await takeIn(database, "other", [pullRequest("opened", 0, { title: "Somebody else's" })], began)

describe("an entity", () => {
  it("stands as its latest states tell, under all its keys", async () => {
    const { status, body } = await get(encodeURIComponent(pr))
    expect(status).toBe(200)
    expect(body).toMatchObject({
      key: pr,
      kind: "github:pull_request",
      aliases: [
        "github:issue:acme/api#42",
        "github:issue:acme/core#42",
        "github:pull_request:acme/core#42",
        "github:pull_request_id:7#42",
      ],
      fields: {
        title: { value: "Limit all requests" },
        state: { value: "closed" },
        merged: { value: true },
        mergedAt: { value: toSecond(20) },
        labels: { value: null },
        branch: { value: "limits" },
      },
      deleted: false,
      firstSeenAt: timeAt(0),
    })
    expect(body).not.toHaveProperty("deletedAt")
    expect(body.fields["title"]?.eventId).toMatch(/^[0-9a-f-]{36}$/)
    expect(body.fields["body"]?.value).toMatch(/^sha256:[0-9a-f]{64}$/)
  })

  it("stands the same by each of its keys", async () => {
    const { key: _key, kind: _kind, aliases, ...rest } = (await get(encodeURIComponent(pr))).body
    for (const alias of aliases) {
      const { body } = await get(encodeURIComponent(alias))
      expect(body).toMatchObject({ ...rest, key: alias })
      expect([...body.aliases, alias].toSorted()).toEqual([...aliases, pr].toSorted())
    }
  })

  it("stood as was known then, for asOf", async () => {
    const { body } = await get(`${encodeURIComponent(pr)}?asOf=${began.toISOString()}`)
    expect(body).toMatchObject({
      aliases: ["github:issue:acme/api#42", "github:pull_request_id:7#42"],
      fields: {
        title: { value: "Limit requests", at: timeAt(0) },
        state: { value: "open" },
        labels: { value: "bug" },
      },
      lastSeenAt: timeAt(0),
    })
    const before = await get(`${encodeURIComponent(pr)}?asOf=2026-11-21T00:00:00%2B01:00`)
    expect(before.body).toMatchObject({ aliases: [], fields: {}, firstSeenAt: null, lastSeenAt: null })
  })

  it("that is gone says so, and what it was", async () => {
    const { body } = await get("github:issue_comment:9")
    expect(body).toMatchObject({ deleted: true, fields: { comment: { value: "Nice" } } })
    expect(body.deletedAt).toMatch(timeAt(30).slice(0, 19))
    const then = await get(`github:issue_comment:9?asOf=${new Date(began.getTime() + 1000).toISOString()}`)
    expect(then.body).toMatchObject({ deleted: false })
  })

  it("of Linear's has what is shown of it", async () => {
    const { body } = await get("linear:issue:eng-1")
    expect(body).toMatchObject({
      key: "linear:issue:ENG-1",
      kind: "linear:issue",
      aliases: ["linear:issue_id:uuid-1"],
      fields: {
        title: { value: "Limits" },
        team: { value: "ENG" },
        priority: { value: "High" },
        labels: { value: "api" },
        cycle: { value: 3 },
      },
    })
  })

  it("that was only mentioned is known, and nothing of it", async () => {
    const { status, body } = await get("linear:issue:ENG-7")
    expect([status, body]).toEqual([
      200,
      {
        key: "linear:issue:ENG-7",
        kind: "linear:issue",
        aliases: [],
        fields: {},
        deleted: false,
        firstSeenAt: null,
        lastSeenAt: null,
      },
    ])
  })

  it("is seen within its tenant alone", async () => {
    const { body } = await get(encodeURIComponent(pr), "other")
    expect(body.fields["title"]?.value).toBe("Somebody else's")
    expect(body.aliases).toEqual(["github:issue:acme/api#42", "github:pull_request_id:7#42"])
    expect((await get("linear:issue:ENG-1", "other")).status).toBe(404)
  })
})
