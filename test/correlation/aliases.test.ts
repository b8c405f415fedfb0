import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { readAs } from "../../src/store/database.ts"
import { entityView } from "../../src/store/entity-view.ts"
import { timeline } from "../../src/store/timeline.ts"
import { testDatabase } from "../support/database.ts"
import {
  comment,
  createTaken,
  github,
  issue,
  linearIssue,
  pr,
  pullRequest,
  timeAt,
  toSecond,
  type Delivery,
} from "./deliveries.ts"

const database = await testDatabase()
const taken = createTaken(database)

async function typesIn(tenant: string, entity: string): Promise<string[]> {
  const { events } = await readAs(database, tenant, (db) => timeline(db, tenant, entity, { limit: 500 }))
  return events.map(({ event }) => event.type)
}

function push(at: number, branch: string, fullName: string, sha: string): Delivery {
  return github("push", {
    ref: `refs/heads/${branch}`,
    before: "0".repeat(40),
    after: sha,
    commits: [{ id: sha, message: "Limit", distinct: true }],
    head_commit: { id: sha, message: "Limit", timestamp: timeAt(at) },
    repository: { id: 7, full_name: fullName, default_branch: "main", pushed_at: toSecond(at) },
  })
}

describe("one story", () => {
  const renamed = github(
    "repository",
    { action: "renamed", changes: { repository: { name: { from: "api" } } } },
    "acme/core",
  )
  const histories: [string, Delivery[], string[], string[]][] = [
    [
      "of a repository before and after its renaming",
      [
        push(1, "limits", "acme/api", "b".repeat(40)),
        pullRequest("opened", 2),
        comment("created", 10, "Nice"),
        renamed,
        comment("created", 20, "Very nice", "acme/core"),
        push(25, "limits", "acme/core", "c".repeat(40)),
        pullRequest("closed", 30, { closed: true }, "acme/core"),
      ],
      [pr, "github:pull_request:acme/core#42", "github:issue:acme/api#42", `github:commit:${"b".repeat(40)}`],
      [
        "github.push.pushed",
        "github.pull_request.opened",
        "github.issue_comment.created",
        "github.issue_comment.created",
        "github.push.pushed",
        "github.pull_request.closed",
      ],
    ],
    [
      "of a branch before and after its renaming",
      [
        push(1, "limits", "acme/api", "b".repeat(40)),
        pullRequest("opened", 2),
        push(5, "eng-1-limits", "acme/api", "c".repeat(40)),
        pullRequest("edited", 6, { branch: "eng-1-limits" }),
      ],
      [pr, issue, `github:commit:${"b".repeat(40)}`],
      [
        "github.push.pushed",
        "github.pull_request.opened",
        "github.push.pushed",
        "github.pull_request.edited",
      ],
    ],
    [
      "of an issue before and after its move to another team",
      [
        linearIssue("create", 0, {}),
        pullRequest("opened", 1, { title: "ENG-1: Limits" }),
        linearIssue("update", 2, {
          identifier: "OPS-5",
          team: { key: "OPS" },
          previousIdentifiers: ["ENG-1"],
        }),
        linearIssue("update", 3, { identifier: "OPS-5", team: { key: "OPS" }, title: "Limit" }),
      ],
      [issue, "linear:issue:OPS-5", pr, "linear:issue_id:uuid-1"],
      ["linear.issue.create", "github.pull_request.opened", "linear.issue.update", "linear.issue.update"],
    ],
  ]

  it.each(histories)("%s, whatever came first", async (_, history, entities, types) => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(history, { minLength: history.length }), async (shuffled) => {
        const tenant = await taken(shuffled)
        for (const entity of entities)
          expect([entity, await typesIn(tenant, entity)]).toEqual([entity, types])
      }),
      { numRuns: 8, examples: [[history], [history.toReversed()]] },
    )
  })

  it("of a repository's own keys too, with the state merged over all of them", async () => {
    const edited = github("repository", { action: "edited", changes: { description: { from: null } } })
    for (const order of [
      [edited, renamed],
      [renamed, edited],
    ]) {
      const tenant = await taken(order)
      const { aliases } = await readAs(database, tenant, (db) =>
        entityView(db, tenant, "github:repository:acme/api"),
      )
      expect(aliases).toEqual(["github:repository:acme/core", "github:repository_id:7"])
      expect(await typesIn(tenant, "github:repository:acme/core")).toHaveLength(2)
    }
  })
})
