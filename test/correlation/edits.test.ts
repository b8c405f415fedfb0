import { describe, expect, it } from "vitest"
import { pullRequest } from "../../fixtures/correlation/github-payload.ts"
import type { StoryRequest } from "../../fixtures/correlation/request.ts"
import { sendWebhook, startTestHub, until } from "../support/hub.ts"
import { linearIssue, pullRequestComment, pullRequestEvent } from "./history-requests.ts"

const hub = await startTestHub()
const beginning = Date.UTC(2026, 10, 20, 9)
const at = (minute: number) => new Date(beginning + minute * 60_000)
const issues = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)
const closing = (numbers: readonly number[]) => numbers.map((number) => `- Closes ENG-${number}`).join("\n")
const keyOf = (number: number) => `github:pull_request:acme/api#${number}`
const withTexts = (number: number, title: string, body: string) =>
  pullRequest({ number, title, body, branch: "next", author: "dev", openedAt: at(0) })

let logged = 0
const headOfLog = () => hub.database.work.query<{ position: number }>("select position from event_log_head")

/** Sends webhooks one after the other, and waits until all are in the log. */
async function tell(...requests: readonly StoryRequest[]): Promise<void> {
  for (const request of requests) {
    expect((await sendWebhook(hub.url, request.platform, request)).ok).toBe(true)
  }
  logged += requests.length
  await until(headOfLog, ({ rows }) => rows[0]?.position === logged)
}

/** A moment of our own clock, with nothing else happening in it. */
async function moment(): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 5))
  const now = new Date().toISOString()
  await new Promise((resolve) => setTimeout(resolve, 5))
  return now
}

/** What a pull request is linked to in Linear, by strength, now or as it was known then. */
async function linked(number: number, asOf?: string): Promise<Record<string, number[]>> {
  const query = `limit=500${asOf === undefined ? "" : `&asOf=${asOf}`}`
  const { body } = await hub.json(`/api/v1/entities/${encodeURIComponent(keyOf(number))}/links?${query}`)
  const found: Record<string, Set<number>> = {}
  for (const { to, strength } of body.links) {
    const issue = /^linear:issue:ENG-(\d+)$/.exec(to)?.[1]
    if (issue !== undefined) (found[strength] ??= new Set()).add(Number(issue))
  }
  return Object.fromEntries(
    Object.entries(found).map(([strength, numbers]) => [strength, [...numbers].toSorted((a, b) => a - b)]),
  )
}

async function timelineOf(entity: string, asOf?: string): Promise<string[]> {
  const query = asOf === undefined ? "" : `?asOf=${asOf}`
  const { body } = await hub.json(`/api/v1/entities/${encodeURIComponent(entity)}/timeline${query}`)
  return body.events.map(({ type }: { type: string }) => type)
}

const issueMade = (number: number) =>
  linearIssue(
    { number, title: "Work", description: "", createdAt: at(0), previousIdentifiers: [] },
    "create",
    at(0),
  )

describe("a release that names 60 issues", () => {
  const title = "Release 4.2: ENG-1, ENG-2 and more"

  it("is only shown at each of them, and tells no story with any", async () => {
    await tell(
      issueMade(1),
      issueMade(30),
      pullRequestEvent(withTexts(1, title, closing(issues(3, 60))), "opened", at(1)),
    )
    expect(await linked(1)).toEqual({ weak: issues(1, 60) })
    expect(await timelineOf(keyOf(1))).toEqual(["github.pull_request.opened"])
    expect(await timelineOf("linear:issue:ENG-1")).toEqual(["linear.issue.create"])
    expect(await timelineOf("linear:issue:ENG-30")).toEqual(["linear.issue.create"])
  })

  it("loses the one that an edit removes, and still shows it as of then", async () => {
    const then = await moment()
    const body = closing(issues(3, 60).filter((number) => number !== 30))
    await tell(pullRequestEvent(withTexts(1, title, body), "edited", at(2)))
    const rest = issues(1, 60).filter((number) => number !== 30)
    expect(await linked(1)).toEqual({ weak: rest })
    expect(await linked(1, then)).toEqual({ weak: issues(1, 60) })

    // What was sent before the edit and comes after it changes nothing.
    const late = pullRequestEvent(withTexts(1, title, closing(issues(3, 60))), "labeled", at(1))
    await tell(late)
    expect(await linked(1)).toEqual({ weak: rest })
    expect(await linked(1, then)).toEqual({ weak: issues(1, 60) })
  })
})

describe("a list that an edit makes short", () => {
  it("becomes strong, and its story one with theirs", async () => {
    await tell(
      issueMade(101),
      issueMade(104),
      pullRequestEvent(withTexts(2, "Limits", closing(issues(101, 106))), "opened", at(1)),
    )
    expect(await linked(2)).toEqual({ weak: issues(101, 106) })
    const then = await moment()
    await tell(pullRequestEvent(withTexts(2, "Limits", closing(issues(101, 103))), "edited", at(2)))
    expect(await linked(2)).toEqual({ strong: issues(101, 103) })
    expect(await linked(2, then)).toEqual({ weak: issues(101, 106) })
    const story = ["linear.issue.create", "github.pull_request.opened", "github.pull_request.edited"]
    expect(await timelineOf("linear:issue:ENG-101")).toEqual(story)
    expect(await timelineOf("linear:issue:ENG-101", then)).toEqual(["linear.issue.create"])
    expect(await timelineOf("linear:issue:ENG-104")).toEqual(["linear.issue.create"])
  })

  it("is the same where the edit comes first", async () => {
    await tell(
      pullRequestEvent(withTexts(3, "Limits", closing(issues(201, 203))), "edited", at(2)),
      pullRequestEvent(withTexts(3, "Limits", closing(issues(201, 206))), "opened", at(1)),
    )
    expect(await linked(3)).toEqual({ strong: issues(201, 203) })
  })
})

const remark = (text: string) => ({ id: 77, text, createdAt: at(1) })

describe("a comment", () => {
  const pr = withTexts(4, "Limits", "")

  it("that is edited, then deleted, shows no more what it showed", async () => {
    await tell(
      pullRequestEvent(pr, "opened", at(0)),
      pullRequestComment(pr, "created", remark("like ENG-301 and ENG-302"), at(1)),
    )
    expect(await linked(4)).toEqual({ weak: [301, 302] })
    await tell(pullRequestComment(pr, "edited", remark("like ENG-302"), at(2)))
    expect(await linked(4)).toEqual({ weak: [302] })
    const then = await moment()
    await tell(pullRequestComment(pr, "deleted", remark("like ENG-302"), at(2)))
    expect(await linked(4)).toEqual({})
    expect(await linked(4, then)).toEqual({ weak: [302] })
  })

  it("withdraws nothing that the pull request's own texts show", async () => {
    const named = withTexts(5, "ENG-401 Limits", "")
    const said = { id: 78, text: "ENG-401 indeed", createdAt: at(1) }
    await tell(
      pullRequestEvent(named, "opened", at(0)),
      pullRequestComment(named, "created", said, at(1)),
      pullRequestComment(named, "deleted", said, at(2)),
    )
    expect(await linked(5)).toEqual({ strong: [401] })
  })
})
