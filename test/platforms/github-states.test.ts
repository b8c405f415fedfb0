import { describe, expect, it } from "vitest"
import type { Normalized } from "../../src/core/platform.ts"
import { normalize } from "../../src/platforms/github/normalize.ts"
import { octokitExamples } from "../support/octokit-examples.ts"
import { expectStatesCoverWhatIsSaid } from "./support/covered.ts"

const receivedAt = new Date("2026-11-22T00:00:00Z")
const repository = { id: 7, full_name: "Acme/API" }

function read(event: string, payload: object): Normalized {
  return normalize({
    headers: { "x-github-event": event },
    contentType: "application/json",
    payload: { repository, ...payload },
    receivedAt,
  })
}

function statesOf(event: string, payload: object) {
  return read(event, payload).states ?? []
}

/** The state of what an event shows in one. */
function stateOf(event: string, payload: object) {
  return statesOf(event, payload)[0]
}

describe("what an event says in a field of a thing, its state tells of", () => {
  it.each(octokitExamples().map((example, index) => [`${example.event} ${index}`, example] as const))(
    "%s",
    (_, { event, payload }) => {
      expectStatesCoverWhatIsSaid(read(event, { repository: undefined, ...payload }))
    },
  )
})

/** When a deployment stood so, of statuses of one second. */
function timeOfStatus(state: string): number {
  const deployment_status = { state, updated_at: "2026-11-20T10:00:00Z" }
  const payload = { deployment: { id: 1, environment: "production" }, deployment_status }
  return stateOf("deployment_status", payload)?.at.getTime() ?? 0
}

/** An issue as a dependency shows it, some seconds after the full hour. */
const issueAfter = (seconds: number, number: number) => ({
  id: number * 11,
  number,
  updated_at: `2026-11-20T10:00:0${seconds}Z`,
  repository_url: "https://api.github.com/repos/acme/api",
})

describe("a state", () => {
  const updated_at = "2026-11-20T10:00:00Z"

  it("has the fields that the body shows, empty ones too, and no other", () => {
    const pull_request = {
      number: 42,
      updated_at,
      title: "Limits",
      body: null,
      labels: [],
      head: { ref: "main" },
    }
    const fields = { title: "Limits", body: null, labels: null, branch: "main" }
    expect(stateOf("pull_request", { action: "opened", pull_request })?.fields).toEqual(fields)
    const { labels, ...others } = fields
    expect(statesOf("pull_request", { action: "labeled", pull_request })).toMatchObject([
      { fields: others },
      { fields: { labels } },
    ])
  })

  it("is the thing's by the id of its repository, whatever that is called", () => {
    const issue = { number: 42, updated_at, title: "Limits" }
    expect(stateOf("issues", { action: "opened", issue })?.entity).toBe("github:issue_id:7#42")
    const one = { ...issue, pull_request: {} }
    expect(stateOf("issues", { action: "opened", issue: one })?.entity).toBe("github:pull_request_id:7#42")
    const nameless = { action: "opened", issue, repository: { full_name: "acme/api" } }
    expect(stateOf("issues", nameless)?.entity).toBe("github:issue:acme/api#42")
  })

  it("of a remark is its own, and of no thing that it is made on", () => {
    const issue = { number: 42, updated_at, title: "Limits", body: "Closes ENG-1" }
    const comment = { id: 9, body: "See ENG-2", updated_at }
    const { states, texts } = read("issue_comment", { action: "created", issue, comment })
    expect(states).toMatchObject([{ entity: "github:issue_comment:9", fields: { comment: "See ENG-2" } }])
    expect(texts).toMatchObject([{ field: "comment", document: "github:issue_comment:9" }])
  })

  it("is in the order in which things come about within a second", () => {
    const at = (action: string) =>
      statesOf("issue_comment", {
        action,
        issue: { number: 1 },
        comment: { id: 9, body: "x", updated_at },
      }).find(({ fields }) => "comment" in fields)?.at
    const [created = 0, edited = 0, deleted = 0] = ["created", "edited", "deleted"].map((action) =>
      Number(at(action)),
    )
    expect(created).toBeLessThan(edited)
    expect(edited).toBeLessThan(deleted)
    expect(Math.floor(deleted / 1000) * 1000).toBe(Date.parse(updated_at))
  })

  it("of an edit is later in what the edit changed, and no later in the rest", () => {
    const issue = { number: 42, updated_at, title: "Limits", body: "Closes ENG-1", labels: [] }
    const later = (changes?: object) => {
      const states = statesOf("issues", { action: "edited", issue, ...(changes && { changes }) })
      expect(states).toHaveLength(2)
      expect(Number(states[0]?.at)).toBeLessThan(Number(states[1]?.at))
      return Object.keys(states[1]?.fields ?? {})
    }
    expect(later({ title: { from: "Limit" } })).toEqual(["title"])
    expect(later({ body: { from: "" } })).toEqual(["body"])
    expect(later({})).toEqual(["title", "body"])
    expect(later()).toEqual(["title", "body"])
  })

  it("of a list is the later the further it has grown or shrunk within a second", () => {
    const at = (action: string, ...names: string[]) => {
      const issue = { number: 42, updated_at, labels: names.map((name) => ({ name })) }
      return Number(stateOf("issues", { action, issue })?.at)
    }
    expect(at("labeled", "a")).toBeLessThan(at("labeled", "a", "b"))
    expect(at("labeled", "a", "b")).toBeLessThan(at("unlabeled", "a"))
    expect(at("unlabeled", "a")).toBeLessThan(at("unlabeled"))
    const many = Array.from({ length: 200 }, (_, index) => `l${index}`)
    expect(at("labeled", ...many)).toBeLessThan(at("unlabeled", ...many))
    expect(at("unlabeled")).toBeLessThan(at("deleted"))
    expect(at("deleted") - Date.parse(updated_at)).toBeLessThan(1000)
  })

  it("of a review that is edited or dismissed is no earlier than its pull request's", () => {
    const review = { id: 8, body: "Nice", submitted_at: "2026-11-20T09:00:00Z", state: "approved" }
    const pull_request = { number: 42, updated_at }
    const submitted = stateOf("pull_request_review", { action: "submitted", review, pull_request })
    const dismissed = stateOf("pull_request_review", { action: "dismissed", review, pull_request })
    expect(submitted?.at.toISOString()).toBe("2026-11-20T09:00:00.000Z")
    expect(dismissed?.at.getTime()).toBeGreaterThanOrEqual(Date.parse(updated_at))
  })

  it("of what was deleted says nothing in any field any more", () => {
    const release = { id: 5, name: "v2, see ENG-1", tag_name: "v2", created_at: updated_at }
    const { states, texts, references } = read("release", { action: "deleted", release })
    expect(states).toMatchObject([{ entity: "github:release_id:5", deleted: true, fields: { tag: "v2" } }])
    expect(texts).toEqual([])
    expect(references.map(({ relation }) => relation)).toEqual(["same_as"])
  })

  it("of a part that was taken out of an issue has no parent", () => {
    const sub_issue = { number: 3, updated_at, repository_url: "https://api.github.com/repos/acme/api" }
    const parent_issue = { number: 2, url: "https://api.github.com/repos/acme/api/issues/2" }
    const added = read("sub_issues", { action: "sub_issue_added", sub_issue, parent_issue })
    const removed = read("sub_issues", { action: "sub_issue_removed", sub_issue, parent_issue })
    expect(added.references).toMatchObject([{ relation: "parent", document: "github:issue_id:7#3" }])
    expect(added.states).toMatchObject([
      { entity: "github:issue_id:7#3", fields: { parent: parent_issue.url } },
    ])
    expect(removed.states).toMatchObject([{ fields: { parent: null } }])
  })

  it("of a dependency is that of the pair, and ends by its removal", () => {
    const dependency = (action: string, seconds: number) =>
      read("issue_dependencies", {
        action,
        blocked_issue: issueAfter(seconds, 1),
        blocking_issue: issueAfter(4, 2),
      })
    const added = dependency("blocked_by_added", 1)
    const entity = "github:issue_dependency:11/22"
    expect(added.references).toMatchObject([{ entity: "github:issue:acme/api#2", document: entity }])
    expect(added.states).toMatchObject([{ entity, fields: { blockedBy: "github:issue:acme/api#2" } }])
    const removed = dependency("blocking_removed", 2)
    expect(removed.references).toEqual([])
    expect(removed.states).toMatchObject([{ entity, fields: { blockedBy: null } }])
    expect(Number(added.states?.[0]?.at)).toBeLessThan(Number(removed.states?.[0]?.at))
    const withoutIds = { blocked_issue: { number: 1 }, blocking_issue: { number: 2 } }
    expect(read("issue_dependencies", { action: "blocked_by_added", ...withoutIds }).states).toEqual([])
  })

  it("of a deployment goes forward within a second", () => {
    expect(timeOfStatus("queued")).toBeLessThan(timeOfStatus("in_progress"))
    expect(timeOfStatus("in_progress")).toBeLessThan(timeOfStatus("success"))
    expect(timeOfStatus("success")).toBeLessThan(timeOfStatus("inactive"))
  })

  it("is none where the body tells of no time", () => {
    expect(read("issues", { action: "opened", issue: { number: 1, title: "See ENG-1" } }).states).toEqual([])
  })
})

function sameAs({ references }: Normalized) {
  return references
    .filter(({ relation }) => relation === "same_as")
    .map(({ subject, entity }) => [subject, entity])
}

it("a transferred issue, a renamed organization and a renamed repository tell their other names", () => {
  const old_issue = { number: 7, repository_url: "https://api.github.com/repos/Acme/old" }
  const issue = { number: 12 }
  expect(sameAs(read("issues", { action: "opened", issue, changes: { old_issue } }))).toEqual([
    [undefined, "github:issue_id:7#12"],
    [undefined, "github:issue:acme/old#7"],
  ])
  const organization = { id: 3, login: "Acme" }
  const changes = { login: { from: "Before" } }
  expect(
    sameAs(read("organization", { action: "renamed", organization, changes, repository: undefined })),
  ).toEqual([
    [undefined, "github:organization_id:3"],
    ["github:organization:before", "github:organization_id:3"],
  ])
  const from = { user: { login: "Somebody" } }
  expect(sameAs(read("repository", { action: "transferred", changes: { owner: { from } } }))).toEqual([
    [undefined, "github:repository_id:7"],
    ["github:repository:somebody/api", "github:repository_id:7"],
  ])
})
