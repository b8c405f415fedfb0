import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { readAs } from "../../src/store/database.ts"
import { linksOf } from "../../src/store/correlations.ts"
import { entityView } from "../../src/store/entity-view.ts"
import { testDatabase } from "../support/database.ts"
import {
  comment,
  createTaken,
  github,
  issue,
  linear,
  linearIssue,
  pr,
  pullRequest,
  stamps,
  timeAt,
  toSecond,
  type Delivery,
} from "./deliveries.ts"

const database = await testDatabase()
const taken = createTaken(database)

/** What the entity's state is, but for the events that tell of it. */
async function stateOf(tenant: string, entity: string) {
  const { fields, ...rest } = await readAs(database, tenant, (db) => entityView(db, tenant, entity))
  return {
    ...rest,
    fields: Object.fromEntries(Object.entries(fields).map(([name, { value, at }]) => [name, { value, at }])),
  }
}

async function valuesOf(tenant: string, entity: string): Promise<Record<string, unknown>> {
  const { fields } = await stateOf(tenant, entity)
  return Object.fromEntries(Object.entries(fields).map(([name, { value }]) => [name, value]))
}

/** Links in short, each once, that stand now; or stood then. */
async function linksNow(tenant: string, entity: string, asOf: Date | null = null): Promise<string[]> {
  const { links } = await readAs(database, tenant, (db) => linksOf(db, tenant, entity, { limit: 500, asOf }))
  return [...new Set(links.map(({ from, relation, to }) => `${from} ${relation} ${to}`))].toSorted()
}

describe("any order and repetition of what happened gives the same state", () => {
  const histories: [string, Delivery[], string][] = [
    [
      "of a pull request",
      [
        pullRequest("opened", 0),
        pullRequest("labeled", 0, { labels: ["bug"] }),
        pullRequest("edited", 1, { title: "Limit all requests", labels: ["bug"] }),
        pullRequest("labeled", 5, { title: "Limit all requests", labels: ["api", "bug"] }),
        pullRequest("closed", 5, { title: "Limit all requests", labels: ["api", "bug"], closed: true }),
      ],
      pr,
    ],
    [
      "of a comment that was deleted in the second in which it was written",
      [comment("created", 10, "one"), comment("edited", 10, "two"), comment("deleted", 10, "two")],
      "github:issue_comment:9",
    ],
    [
      "of an issue that moved between teams",
      [
        linearIssue("create", 0, { state: { name: "Todo", type: "unstarted" } }),
        linearIssue("update", 1, { assignee: { name: "Dev" }, assigneeId: "u1" }, { assigneeId: null }),
        linearIssue("update", 2, {}, { assigneeId: "u1" }),
        linearIssue("update", 3, {
          identifier: "OPS-5",
          team: { key: "OPS" },
          previousIdentifiers: ["ENG-1"],
        }),
        linearIssue("remove", 3, { identifier: "OPS-5", team: { key: "OPS" } }),
      ],
      issue,
    ],
  ]

  it.each(histories)("%s", async (_, history, entity) => {
    const expected = await stateOf(await taken(history), entity)
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([...history, ...history], { minLength: 2 * history.length }),
        async (shuffled) => {
          expect(await stateOf(await taken(shuffled), entity)).toEqual(expected)
        },
      ),
      { numRuns: 12 },
    )
  })

  it("and what is stale or repeated changes nothing of the last", async () => {
    const tenant = await taken(histories[0]?.[1].toReversed() ?? [])
    expect(await valuesOf(tenant, pr)).toMatchObject({
      title: "Limit all requests",
      labels: "api, bug",
      state: "closed",
      merged: true,
      mergedAt: toSecond(5),
    })
  })

  it("field by field: an event that does not show a field says nothing of it", async () => {
    const created = linearIssue("create", 0, { state: { name: "Todo" } })
    const assigned = linearIssue("update", 1, { assignee: { name: "Dev" } }, { assigneeId: null })
    const unassigned = linearIssue("update", 2, {}, { assigneeId: "u1" })
    const values = await valuesOf(await taken([assigned, created]), issue)
    expect(values).toMatchObject({ state: "Todo", assignee: "Dev", team: "ENG" })
    expect(await valuesOf(await taken([unassigned, assigned]), issue)).toMatchObject({ assignee: null })
  })
})

const closes = (id: number) => `${pr} implements linear:issue:ENG-${id}`

async function closedBy(tenant: string, asOf?: Date): Promise<string[]> {
  return (await linksNow(tenant, pr, asOf)).filter((link) => link.includes("linear"))
}

/** When the nth delivery came in. */
const arrival = (nth: number) => new Date(Date.UTC(2026, 10, 22, 0, 0, nth))

function branchEvent(event: "create" | "delete", seconds: number): Delivery {
  return github(event, {
    ref: "eng-1-limits",
    ref_type: "branch",
    ...(event === "create" ? { master_branch: "main" } : { pusher_type: "user" }),
    repository: { id: 7, full_name: "acme/api", pushed_at: toSecond(seconds) },
  })
}

describe("a link is withdrawn", () => {
  it("when the body that showed it is edited or emptied, in whatever order that came, and shown for then", async () => {
    const history = [
      pullRequest("opened", 0, { body: "Closes ENG-1 and closes ENG-2" }),
      pullRequest("edited", 1, { body: "Closes ENG-2" }),
      pullRequest("edited", 2, { body: "" }),
    ]
    const tenant = await taken(history)
    expect(await closedBy(tenant, arrival(0))).toEqual([closes(1), closes(2)])
    expect(await closedBy(tenant, arrival(1))).toEqual([closes(2)])
    expect(await closedBy(tenant)).toEqual([])
    expect(await closedBy(await taken(history.toReversed()))).toEqual([])
    expect(await closedBy(await taken([...history.slice(0, 2), ...history.slice(0, 1)]))).toEqual([closes(2)])
  })

  it("also under the repository's other name", async () => {
    const tenant = await taken([
      pullRequest("opened", 0, { body: "Closes ENG-1" }),
      pullRequest("edited", 1, { body: "Nothing" }, "acme/core"),
    ])
    expect(await linksNow(tenant, issue)).toEqual([])
  })

  it("when the comment goes that mentions a thing, and no other comment with it", async () => {
    const other = github("issue_comment", {
      action: "created",
      issue: { id: 1, number: 42, title: "Limit requests", pull_request: {}, ...stamps(12) },
      comment: { id: 10, body: "See ENG-2", ...stamps(12, 12) },
    })
    const history = [comment("created", 10, "See ENG-1"), other, comment("deleted", 10, "See ENG-1")]
    for (const order of [history, history.toReversed()]) {
      const links = await linksNow(await taken(order), pr)
      expect(links.filter((link) => link.includes("linear"))).toEqual([`${pr} mentions linear:issue:ENG-2`])
    }
  })

  it("when an attachment is removed from an issue", async () => {
    const data = {
      id: "attachment-1",
      url: "https://github.com/acme/api/pull/42",
      issueId: "uuid-1",
      updatedAt: timeAt(1),
    }
    const history = [
      linear("Attachment", "create", data, { createdAt: timeAt(1) }),
      linear("Attachment", "remove", data, { createdAt: timeAt(4) }),
    ]
    const tied = `${pr} implements linear:issue_id:uuid-1`
    expect(await linksNow(await taken(history.slice(0, 1)), pr)).toEqual([tied])
    expect(await linksNow(await taken(history), pr)).toEqual([])
    expect(await linksNow(await taken(history.toReversed()), pr)).toEqual([])
  })

  it("but not the branch's, when the branch goes that was made for an issue", async () => {
    const tenant = await taken([branchEvent("delete", 9), branchEvent("create", 1)])
    const branch = "github:branch:acme/api@eng-1-limits"
    expect(await linksNow(tenant, branch)).toContain(`${branch} names ${issue}`)
    expect(await stateOf(tenant, branch)).toMatchObject({ deletedAt: new Date(Date.parse(timeAt(9)) + 99) })
  })
})

describe("a deletion leaves a tombstone", () => {
  it("with what the thing was last", async () => {
    const tenant = await taken([comment("created", 10, "Hello"), comment("deleted", 12, "Hello you")])
    const state = await stateOf(tenant, "github:issue_comment:9")
    expect(state.deletedAt?.toISOString().slice(0, 19)).toBe(timeAt(12).slice(0, 19))
    expect(state.fields["comment"]?.value).toBe("Hello you")
  })

  it("that what comes from the trash again takes away", async () => {
    const back = linearIssue("update", 1, { title: "Limits again" })
    const removed = linear(
      "Issue",
      "remove",
      { id: "uuid-1", updatedAt: timeAt(1) },
      { createdAt: timeAt(5) },
    )
    const restored = linear(
      "Issue",
      "update",
      { id: "uuid-1", updatedAt: timeAt(1) },
      { createdAt: timeAt(8), updatedFrom: { trashed: true } },
    )
    const byId = "linear:issue_id:uuid-1"
    expect((await stateOf(await taken([removed, back]), byId)).deletedAt).toEqual(new Date(timeAt(5)))
    expect((await stateOf(await taken([restored, removed, back]), byId)).deletedAt).toBeNull()
  })
})
