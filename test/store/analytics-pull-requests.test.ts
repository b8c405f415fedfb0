import { expect, it } from "vitest"
import { pullRequestMerged, pullRequestOpened, pushed } from "../../fixtures/correlation/github.ts"
import { shaOf, type StoryRequest } from "../../fixtures/correlation/request.ts"
import { testDatabase } from "../support/database.ts"
import { at, changed, course, deployment, opened } from "./analytics-requests.ts"
import { startTakingIn } from "./take-in.ts"
import { createViewOf } from "./view-of.ts"

const database = await testDatabase()
const takeIn = await startTakingIn(database)
const viewOf = createViewOf(database, takeIn)

/** What was live before the changes. */
const base = [
  pushed("main", { sha: shaOf("base"), message: "Base" }, "maint", at("Mon 08:00")),
  deployment("d-0", "success", shaOf("base"), "Mon 08:05"),
]

/** An event of a pull request, with what its body says of it then. */
function later(pr: ReturnType<typeof opened>, action: string, time: string, fields: object): StoryRequest {
  return changed(pullRequestOpened(pr), action, (body) => {
    body.action = action
    Object.assign(body.pull_request ?? {}, { updated_at: at(time).toISOString(), ...fields })
  })
}

it("an issue has no start as long as one of its pull requests has none that was seen", async () => {
  // From a fork: its pushes are nobody's to tell of.
  const forked = opened(1, "Mon 09:00", { title: "ENG-7: One", branch: "patch-1" })
  const seen = course({
    number: 2,
    title: "ENG-7: Two",
    branch: "eng-7-two",
    author: "dev",
    pushed: "Mon 10:00",
    opened: "Mon 11:00",
    reviews: [["maint", "Mon 11:30"]],
    merged: "Mon 12:00",
  })
  const requests = [
    ...base,
    pullRequestOpened(forked),
    pullRequestMerged(forked, "maint", at("Mon 09:30")),
    pushed("main", { sha: forked.mergeSha, message: "One (#1)" }, "maint", at("Mon 09:30")),
    ...seen.requests,
    deployment("d-1", "success", seen.pr.mergeSha, "Mon 13:00"),
  ]
  const columns = "issue, started_at, opened_at, coding, pickup, review, deploy"
  expect(await viewOf("work_item_lead_times", columns, "issue", requests)).toEqual([
    ["linear:issue:ENG-7", "-", "Mon 09:00", "-", "150m", "30m", "60m"],
  ])
})

it("a review after an issue's last merge is no part of its way there", async () => {
  const given = { author: "dev", pushed: "Mon 09:00" } as const
  const merged = course({
    ...given,
    number: 1,
    title: "ENG-8: One",
    branch: "eng-8-one",
    opened: "Mon 09:30",
    merged: "Mon 10:00",
  })
  const reviews = [["maint", "Mon 14:00"]] as const
  const rest = { ...given, number: 2, title: "ENG-8: Two", branch: "eng-8-two", opened: "Mon 09:40", reviews }
  const { requests, pr } = course(rest)
  const closed = later(pr, "closed", "Mon 15:00", { state: "closed", closed_at: "2026-11-16T15:00:00Z" })
  const columns = "issue, merged, open, coding, pickup, review"
  expect(
    await viewOf("work_item_lead_times", columns, "issue", [...merged.requests, ...requests, closed]),
  ).toEqual([["linear:issue:ENG-8", "1", "0", "30m", "-", "-"]])
})

it("a pull request stands on the branch that it was last said to be for", async () => {
  const pr = opened(1, "Mon 09:00")
  const onto = (ref: string, time: string) => later(pr, `onto ${ref}`, time, { base: { ref } })
  const requests = [pullRequestOpened(pr), onto("develop", "Mon 11:00"), onto("release", "Mon 10:00")]
  expect(await viewOf("github_pull_requests", "number, base_ref", "number", requests)).toEqual([
    ["1", "develop"],
  ])
})

function closings(requests: readonly StoryRequest[]) {
  return viewOf("github_pull_requests", "number, closed_at", "number", requests)
}

it("a pull request that is told to be open is open, though nobody told that it was reopened", async () => {
  const pr = opened(1, "Mon 09:00")
  const closed = later(pr, "closed", "Mon 10:00", { state: "closed", closed_at: "2026-11-16T10:00:00Z" })
  const changedOnce = (time: string) => later(pr, "synchronize", time, { state: "open", closed_at: null })
  expect(await closings([pullRequestOpened(pr), changedOnce("Mon 12:00"), closed])).toEqual([["1", "-"]])
  expect(await closings([pullRequestOpened(pr), changedOnce("Mon 09:30"), closed])).toEqual([
    ["1", "Mon 10:00"],
  ])
})

/** Pushes to main of one second, each onto what was its head before. */
function pushedOnto(sha: string) {
  return (request: StoryRequest) =>
    request.label === "push to main"
      ? changed(request, `onto ${sha}`, (body) => Object.assign(body, { before: sha }))
      : request
}

it("of two merges of one second, the one that was pushed first goes live without the other", async () => {
  const given = { author: "dev", pushed: "Mon 08:30", opened: "Mon 08:40", merged: "Mon 09:00" } as const
  const [first, second, third] = [1, 2, 3].map((number) =>
    course({ ...given, number, title: `Change ${number}`, branch: `change-${number}` }),
  )
  if (first === undefined || second === undefined || third === undefined) throw new Error("three were made")
  // Told in another order than they were pushed in: each names the head that it was pushed onto.
  const requests = [
    ...base,
    ...third.requests.map(pushedOnto(second.pr.mergeSha)),
    ...second.requests.map(pushedOnto(first.pr.mergeSha)),
    ...first.requests.map(pushedOnto(shaOf("base"))),
    deployment("d-1", "success", first.pr.mergeSha, "Mon 09:10"),
    deployment("d-2", "success", second.pr.mergeSha, "Mon 11:00"),
    deployment("d-3", "success", third.pr.mergeSha, "Mon 12:00"),
  ]
  expect(await viewOf("pull_request_lead_times", "number, deployed_at", "number", requests)).toEqual([
    ["1", "Mon 09:10"],
    ["2", "Mon 11:00"],
    ["3", "Mon 12:00"],
  ])
})
