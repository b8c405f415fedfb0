import { expect, it } from "vitest"
import { deployed } from "../../fixtures/correlation/deployment.ts"
import { approved, pullRequestMerged, pullRequestOpened, pushed } from "../../fixtures/correlation/github.ts"
import { shaOf, type StoryRequest } from "../../fixtures/correlation/request.ts"
import { testDatabase } from "../support/database.ts"
import { at, changed, course, deployment, githubStatus, opened, type Body } from "./analytics-requests.ts"
import { startTakingIn } from "./take-in.ts"
import { createViewOf } from "./view-of.ts"

const database = await testDatabase()
const takeIn = await startTakingIn(database)
const viewOf = createViewOf(database, takeIn)

function toDevelop(body: Body): void {
  if (body.pull_request !== undefined) body.pull_request["base"] = { ref: "develop", sha: shaOf("develop") }
}

it("the first deployment of a place takes in what it names, and what came in the push of its commit", async () => {
  const listed = course({
    number: 1,
    title: "Listed",
    branch: "listed",
    author: "dev",
    pushed: "Mon 09:00",
    opened: "Mon 09:10",
    merged: "Mon 09:30",
  })
  const older = course({
    number: 2,
    title: "Older",
    branch: "older",
    author: "dev",
    pushed: "Mon 08:00",
    opened: "Mon 08:10",
    merged: "Mon 08:30",
  })
  const [queued, last] = [opened(3, "Mon 10:00"), opened(4, "Mon 10:00")]
  // A merge queue pushes both at once.
  const together = changed(
    pushed("main", { sha: last.mergeSha, message: "Last (#4)" }, "maint", at("Mon 11:00")),
    "with another",
    ({ commits = [] }) => {
      const [head] = commits
      if (head !== undefined) commits.unshift({ ...head, id: queued.mergeSha, message: "Queued (#3)" })
    },
  )
  const requests = [
    ...older.requests,
    ...listed.requests,
    ...[queued, last].map(pullRequestOpened),
    ...[queued, last].map((pr) => pullRequestMerged(pr, "maint", at("Mon 11:00"))),
    together,
    deployed({
      id: "d-1",
      sha: last.mergeSha,
      environment: "production",
      status: "success",
      at: at("Mon 11:20"),
      prs: [1],
    }),
  ]
  const rows = await viewOf("pull_request_lead_times", "number, deployed_at, deploy", "number", requests)
  expect(rows).toEqual([
    ["1", "Mon 11:20", "110m"],
    ["2", "-", "-"],
    ["3", "Mon 11:20", "20m"],
    ["4", "Mon 11:20", "20m"],
  ])
})

it("a pull request merged into a branch goes live with the release that brings the branch to main", async () => {
  const feature = opened(1, "Mon 10:00")
  const release = opened(2, "Mon 12:00", { branch: "develop", title: "Release" })
  const requests = [
    pushed("main", { sha: shaOf("base"), message: "Base" }, "maint", at("Mon 09:00")),
    deployment("d-0", "success", shaOf("base"), "Mon 09:05"),
    changed(pullRequestOpened(feature), "onto develop", toDevelop),
    changed(pullRequestMerged(feature, "maint", at("Mon 11:00")), "onto develop", toDevelop),
    pushed("develop", { sha: feature.mergeSha, message: "Change (#1)" }, "maint", at("Mon 11:00")),
    pullRequestOpened(release),
    pullRequestMerged(release, "maint", at("Mon 12:30")),
    changed(
      pushed("main", { sha: release.mergeSha, message: "Merge pull request #2" }, "maint", at("Mon 12:30")),
      "with develop's",
      ({ commits = [] }) => {
        const [head] = commits
        if (head !== undefined)
          commits.unshift({ ...head, id: feature.mergeSha, distinct: false, message: "Change (#1)" })
      },
    ),
    pushed("main", { sha: shaOf("more"), message: "More" }, "maint", at("Mon 12:40")),
    deployment("d-1", "success", shaOf("more"), "Mon 13:00"),
  ]
  const rows = await viewOf("pull_request_lead_times", "number, deployed_at, deploy", "number", requests)
  expect(rows).toEqual([
    ["1", "Mon 13:00", "120m"],
    ["2", "Mon 13:00", "30m"],
  ])
})

it("GitHub's own deployments count as well, and an abbreviated SHA names its commit", async () => {
  const given = { branch: "work", author: "dev", pushed: "Mon 09:50", opened: "Mon 10:00" } as const
  const { requests, pr } = course({ ...given, number: 1, title: "Change", merged: "Mon 10:30" })
  const events = [
    ...requests,
    githubStatus(7, pr.mergeSha, "in_progress", "Mon 10:40"),
    githubStatus(7, pr.mergeSha, "failure", "Mon 10:45"),
    githubStatus(8, pr.mergeSha, "success", "Mon 10:50"),
    githubStatus(8, pr.mergeSha, "success", "Mon 10:55"), // no second time
    githubStatus(8, pr.mergeSha, "inactive", "Mon 12:00"),
    deployment("d-1", "success", pr.mergeSha.slice(0, 8), "Mon 10:35", "staging"),
  ]
  const columns = "deployment, service, environment, live_at, failure, time_to_restore"
  const rows = await viewOf("release_outcomes", columns, "finished_at", events, "acme")
  expect(rows).toEqual([
    ["deployment:d-1", "api", "staging", "Mon 10:35", "-", "-"],
    ["deployment:github/7", "acme/api", "production", "-", "failed", "5m"],
    ["deployment:github/8", "acme/api", "production", "Mon 10:50", "-", "-"],
  ])
  expect(await viewOf("pull_request_deployments", "environment, live_at", "live_at", events, "acme")).toEqual(
    [
      ["staging", "Mon 10:35"],
      ["production", "Mon 10:50"],
    ],
  )
})

it("work starts with the first commit's own time, but never after its push, and anew where a branch is used again", async () => {
  const branch = "patch"
  const stamped = (sha: string, time: string, pushTime: string): StoryRequest =>
    changed(pushed(branch, { sha, message: "Work" }, "dev", at(pushTime)), time, ({ commits = [] }) => {
      for (const commit of commits) commit.timestamp = at(time).toISOString()
    })
  const [first, second] = [opened(1, "Mon 10:00", { branch }), opened(2, "Tue 10:00", { branch })]
  const requests = [
    stamped(shaOf("w1"), "Mon 08:00", "Mon 09:50"),
    pullRequestOpened(first),
    pullRequestMerged(first, "maint", at("Mon 11:00")),
    stamped(shaOf("w2"), "Wed 08:00", "Tue 09:40"), // a clock a day ahead
    pullRequestOpened(second),
    stamped(shaOf("w3"), "Mon 07:00", "Tue 10:30"), // after it was opened
  ]
  expect(await viewOf("pull_request_lead_times", "number, started_at, coding", "number", requests)).toEqual([
    ["1", "Mon 08:00", "120m"],
    ["2", "Tue 09:40", "20m"],
  ])
})

it("reviews by bots and after the merge are none, and who reopens a pull request has it open", async () => {
  const pr = opened(1, "Mon 10:00")
  const closed = changed(pullRequestMerged(pr, "maint", at("Mon 12:00")), "unmerged", ({ pull_request }) => {
    Object.assign(pull_request ?? {}, { merged: false, merged_at: null, merged_by: null })
  })
  const reopened = changed(pullRequestOpened({ ...pr, openedAt: at("Mon 13:00") }), "again", (body) => {
    body.action = "reopened"
    Object.assign(body.pull_request ?? {}, { created_at: "2026-11-16T10:00:00Z" })
  })
  const byBot = changed(approved(pr, "maint", "Fine.", at("Mon 10:10")), "by a bot", ({ sender }) => {
    if (sender !== undefined) sender.type = "Bot"
  })
  const columns = "opened_at, first_review_at, closed_at, merged_at"
  const before = [pullRequestOpened(pr), byBot, closed]
  const row = (requests: readonly StoryRequest[]) =>
    viewOf("pull_request_lead_times", columns, "number", requests)
  expect(await row(before)).toEqual([["Mon 10:00", "-", "Mon 12:00", "-"]])
  expect(await row([...before, reopened])).toEqual([["Mon 10:00", "-", "-", "-"]])
  const merged = [
    ...before,
    reopened,
    pullRequestMerged(pr, "maint", at("Mon 14:00")),
    approved(pr, "maint", "Late.", at("Mon 15:00")),
  ]
  expect(await row(merged)).toEqual([["Mon 10:00", "-", "Mon 14:00", "Mon 14:00"]])
})

it("a pull request that no longer names an issue is none of its work", async () => {
  const pr = opened(1, "Mon 10:00", { body: "Closes ENG-50" })
  const edited = changed(pullRequestOpened(pr), "edited", (body) => {
    body.action = "edited"
    Object.assign(body.pull_request ?? {}, { body: "Closes ENG-51", updated_at: "2026-11-16T10:30:00Z" })
  })
  const columns = "issue, pull_requests"
  expect(await viewOf("work_item_lead_times", columns, "issue", [pullRequestOpened(pr), edited])).toEqual([
    ["linear:issue:ENG-51", "1"],
  ])
})

it("a rollback to before the first deployment that is known makes no older merges new", async () => {
  const given = { branch: "a", author: "dev", pushed: "Mon 08:00", opened: "Mon 08:10" } as const
  const older = course({ ...given, number: 1, title: "Older", merged: "Mon 08:30" })
  const requests = [
    pushed("main", { sha: shaOf("oldest"), message: "Oldest" }, "maint", at("Mon 07:00")),
    ...older.requests,
    pushed("main", { sha: shaOf("first"), message: "First" }, "maint", at("Mon 09:00")),
    deployment("d-1", "success", shaOf("first"), "Mon 09:10"),
    deployment("d-2", "success", shaOf("oldest"), "Mon 10:00"),
    deployment("d-3", "success", shaOf("first"), "Mon 11:00"),
  ]
  expect(await viewOf("pull_request_lead_times", "number, deployed_at", "number", requests)).toEqual([
    ["1", "-"],
  ])
})
