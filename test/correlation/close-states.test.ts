import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { readAs } from "../../src/store/database.ts"
import { entityView } from "../../src/store/entity-view.ts"
import { linksOf } from "../../src/store/correlations.ts"
import { testDatabase } from "../support/database.ts"
import {
  comment,
  createTaken,
  github,
  pr,
  pullRequest,
  slackEvent,
  stamps,
  timeAt,
  type Delivery,
} from "./deliveries.ts"

const database = await testDatabase()
const taken = createTaken(database)

const viewOf = (tenant: string, entity: string) =>
  readAs(database, tenant, (db) => entityView(db, tenant, entity))

/** What the fields of a thing hold after these deliveries, whatever order they come in. */
async function valuesOf(history: readonly Delivery[], entity = pr): Promise<Record<string, unknown>> {
  const read = async (order: readonly Delivery[]) => {
    const { fields } = await viewOf(await taken(order), entity)
    return Object.fromEntries(Object.entries(fields).map(([name, { value }]) => [name, value]))
  }
  const values = await read(history)
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray([...history], { minLength: history.length }), async (order) => {
      expect(await read(order)).toEqual(values)
    }),
    { numRuns: 6 },
  )
  return values
}

/** Links in short that stand now, of one relation. */
async function linksNow(tenant: string, entity: string, relation: string): Promise<string[]> {
  const { links } = await readAs(database, tenant, (db) => linksOf(db, tenant, entity, { limit: 500 }))
  return [
    ...new Set(links.filter((link) => link.relation === relation).map(({ from, to }) => `${from} ${to}`)),
  ]
}

describe("within one second, a field stands as that event tells which changed it", () => {
  it("labels as they were set, whether the title was edited before or after", async () => {
    const history = [
      pullRequest("opened", 1, { title: "A" }),
      pullRequest("edited", 5, { title: "B" }),
      pullRequest("labeled", 5, { title: "B", labels: ["bug"] }),
    ]
    expect(await valuesOf(history)).toMatchObject({ title: "B", labels: "bug" })
    const other = [
      pullRequest("opened", 1, { title: "A" }),
      pullRequest("labeled", 5, { title: "A", labels: ["bug"] }),
      pullRequest("edited", 5, { title: "B", labels: ["bug"] }),
    ]
    expect(await valuesOf(other)).toMatchObject({ title: "B", labels: "bug" })
  })

  it("each of several labels, given and taken", async () => {
    const given = [
      pullRequest("opened", 5),
      pullRequest("labeled", 5, { labels: ["bug"] }),
      pullRequest("labeled", 5, { labels: ["api", "bug"] }),
    ]
    expect(await valuesOf(given)).toMatchObject({ labels: "api, bug" })
    const takenAway = [
      pullRequest("unlabeled", 9, { labels: ["bug"] }),
      pullRequest("unlabeled", 9),
      pullRequest("edited", 9, { labels: ["api", "bug"] }),
    ]
    expect(await valuesOf([...given, ...takenAway])).toMatchObject({ labels: null })
  })

  it("open where it was closed and opened again", async () => {
    const history = [
      pullRequest("opened", 1),
      pullRequest("closed", 5, { closed: true }),
      pullRequest("reopened", 5),
    ]
    expect(await valuesOf(history)).toMatchObject({ state: "open", closedAt: null })
  })

  it("closed where it was labeled as well, and merged as it was", async () => {
    const history = [
      pullRequest("opened", 5, { title: "A" }),
      pullRequest("closed", 5, { title: "B", closed: true, labels: ["bug"] }),
      pullRequest("labeled", 5, { title: "B", labels: ["bug"] }),
      pullRequest("edited", 5, { title: "B" }),
    ]
    expect(await valuesOf(history)).toMatchObject({
      state: "closed",
      merged: true,
      title: "B",
      labels: "bug",
    })
  })
})

describe("what is deleted for good stays so", () => {
  const ts = "1700000100.000100"
  const link = "https://linear.app/a/issue/ENG-1/x"
  const message = `slack:message:T1/C1/${ts}`
  const posted = slackEvent({
    type: "message",
    channel: "C1",
    ts,
    event_ts: ts,
    user: "U1",
    text: `<${link}>`,
  })
  const deleted = slackEvent({
    type: "message",
    subtype: "message_deleted",
    channel: "C1",
    deleted_ts: ts,
    event_ts: "1700000103.000100",
    previous_message: { ts, text: `<${link}>` },
  })
  const shared = slackEvent({
    type: "link_shared",
    channel: "C1",
    message_ts: ts,
    event_ts: "1700000104.000000",
    links: [{ url: link, domain: "linear.app" }],
  })

  it("a message of which a later event still tells, in any order", async () => {
    for (const order of [
      [posted, deleted, shared],
      [shared, deleted, posted],
      [posted, shared, deleted],
      [deleted, shared, posted],
    ]) {
      const tenant = await taken(order)
      expect(await linksNow(tenant, message, "discusses")).toEqual([])
      expect(await viewOf(tenant, message)).toMatchObject({
        deletedAt: new Date(1_700_000_103_000),
        lastSeenAt: new Date(1_700_000_104_000),
      })
    }
    const tenant = await taken([posted, shared])
    expect(await linksNow(tenant, message, "discusses")).toHaveLength(1)
    const then = await readAs(database, tenant, (db) => entityView(db, tenant, message))
    expect(then.deletedAt).toBeNull()
  })

  it("a comment that was changed by a clock that runs ahead", async () => {
    const tenant = await taken([
      comment("created", 10, "See ENG-1"),
      comment("deleted", 10, "See ENG-1"),
      comment("edited", 12, "See ENG-1"),
    ])
    expect((await viewOf(tenant, "github:issue_comment:9")).deletedAt?.toISOString()).toMatch(
      timeAt(10).slice(0, 19),
    )
    expect(await linksNow(tenant, pr, "mentions")).toEqual([])
  })
})

const githubIssue = (number: number) => ({
  id: number,
  number,
  title: "t",
  repository_url: "https://api.github.com/repos/acme/api",
  ...stamps(1),
})

const dependency = (action: string, blocking = 2) =>
  github("issue_dependencies", {
    action,
    blocked_issue: githubIssue(1),
    blocking_issue: githubIssue(blocking),
  })

describe("a dependency between issues", () => {
  const blocked = "github:issue:acme/api#1"
  const blocks = (blocking: number) => `github:issue:acme/api#${blocking} ${blocked}`

  it("ends when it is removed, whichever of the two is told of it and in whatever order, and no other with it", async () => {
    const history = [
      dependency("blocked_by_added"),
      dependency("blocking_added"),
      dependency("blocked_by_added", 3),
      dependency("blocking_removed"),
    ]
    expect((await linksNow(await taken(history.slice(0, 3)), blocked, "blocks")).toSorted()).toEqual([
      blocks(2),
      blocks(3),
    ])
    for (const order of [history, history.toReversed()]) {
      expect(await linksNow(await taken(order), blocked, "blocks")).toEqual([blocks(3)])
    }
  })
})

/** A deployment at a time, in our own form. */
const deployed = (status: string, sha: string, minute: number) => ({
  platform: "deployment" as const,
  headers: {},
  payload: {
    id: "d1",
    provider: "acme",
    status,
    sha,
    environment: "production",
    occurredAt: new Date(Date.UTC(2026, 10, 21, 12, minute)).toISOString(),
  },
})

/** An event of one's own on an invoice. */
const invoiceEvent = (title: string, minute: number) => ({
  platform: "custom" as const,
  headers: {},
  payload: {
    type: "billing.invoice.changed",
    entity: "billing:invoice:42",
    title,
    occurredAt: new Date(Date.UTC(2026, 10, 21, 12, minute)).toISOString(),
  },
})

describe("what has happened is not undone by what happens later", () => {
  it("a deployment stands as it was told last, and shipped what it was said to ship", async () => {
    const history = [deployed("success", "a".repeat(40), 1), deployed("rolled_back", "b".repeat(40), 2)]
    expect(await valuesOf(history, "deployment:d1")).toMatchObject({
      status: "rolled_back",
      sha: "b".repeat(40),
      environment: "production",
    })
    const tenant = await taken(history)
    expect((await linksNow(tenant, "deployment:d1", "deploys")).toSorted()).toEqual([
      `deployment:d1 github:commit:${"a".repeat(40)}`,
      `deployment:d1 github:commit:${"b".repeat(40)}`,
    ])
  })

  it("a thing of one's own, with each event's links", async () => {
    const history = [invoiceEvent("Disputed, see ENG-1", 1), invoiceEvent("Paid, see ENG-2", 2)]
    expect(await valuesOf(history, "billing:invoice:42")).toEqual({ title: "Paid, see ENG-2" })
    expect((await linksNow(await taken(history), "billing:invoice:42", "mentions")).toSorted()).toEqual([
      "billing:invoice:42 linear:issue:ENG-1",
      "billing:invoice:42 linear:issue:ENG-2",
    ])
  })
})
