import { beforeAll, describe, expect, it } from "vitest"
import { pullRequestOpened, pushed } from "../../fixtures/correlation/github.ts"
import { pullRequest } from "../../fixtures/correlation/github-payload.ts"
import { issueCreated } from "../../fixtures/correlation/linear.ts"
import { shaOf, toSecond, uuidOf, type StoryRequest } from "../../fixtures/correlation/request.ts"
import type { Explanation } from "../../src/core/explanation.ts"
import { explainCommand } from "../../src/cli/commands/correlation/explain.ts"
import { adminKey, sendWebhook, startTestHub, until } from "../support/hub.ts"
import { runCommand } from "../support/run-command.ts"

const { url, database, json } = await startTestHub()
const at = new Date("2026-11-21T10:00:00Z")
const pr = (number: number) => `github:pull_request:acme/api#${number}`
const issue = (number: number) => `linear:issue:ENG-${number}`
const githubIssue = (number: number) => `github:issue:acme/api#${number}`

function opened(number: number, body: string, given: { title?: string; branch?: string } = {}): StoryRequest {
  const { title = "Change limits", branch = `change-${number}-x` } = given
  return pullRequestOpened(pullRequest({ number, title, body, branch, author: "dev", openedAt: at }))
}

const list = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `ENG-${from + index}`).join(", ")

/** `pull_request` with action `edited`: the same with another body, an hour later. */
function edited(request: StoryRequest, body: string): StoryRequest {
  const payload = JSON.parse(request.body)
  const updated_at = toSecond(new Date(at.getTime() + 3_600_000))
  const pull_request = { ...payload.pull_request, body, updated_at }
  return {
    ...request,
    headers: { ...request.headers, "x-github-delivery": uuidOf(`${request.label} edited`) },
    body: JSON.stringify({ ...payload, action: "edited", pull_request }),
  }
}

const commit = (name: string) => `github:commit:${shaOf(name)}`

/** A push of two commits, each of which closes six issues. */
function pushedTwo(): StoryRequest {
  const message = `Limit\n\nFixes ${list(31, 36)}`
  const one = pushed("limits", { sha: shaOf("one"), message }, "dev", at)
  const payload = JSON.parse(one.body)
  const other = { ...payload.commits[0], id: shaOf("other"), message: `Limit\n\nFixes ${list(41, 46)}` }
  return { ...one, body: JSON.stringify({ ...payload, commits: [other, ...payload.commits] }) }
}

async function explain(from: string, to: string): Promise<Explanation> {
  const { status, body } = await json(`/api/v1/links/explain?${new URLSearchParams({ from, to }).toString()}`)
  expect([status, body]).toEqual([200, body])
  return body
}

const logged = () => database.work.query<{ n: number }>("select count(*) as n from event_log")

beforeAll(async () => {
  const requests = [
    issueCreated({ number: 1, title: "A plan", description: "", createdAt: at }),
    opened(101, "Fixes QRS-132\n\nSee #43"),
    opened(102, `Fixes ${list(11, 16)}\n\nAs in ENG-19`),
    opened(103, `Closes ${list(11, 16)}`),
    opened(104, `Closes ${list(11, 16)}`, { branch: "eng-12-limits" }),
    opened(105, `Closes ${list(11, 14)}`, { title: `${list(21, 25)}: limits` }),
    opened(106, "Fixes fooENG-11 and ENG-153x"),
    opened(107, "Fixes ABC-12"),
    opened(108, "skip ENG-11, ENG-12"),
    pushedTwo(),
    opened(110, "See acme/web#42"),
    opened(109, `Closes ${list(11, 16)}`),
    edited(opened(109, ""), `Closes ${list(11, 15)}`),
  ]
  for (const request of requests) {
    await sendWebhook(url, request.platform, request)
  }
  await until(logged, ({ rows }) => rows[0]?.n === requests.length)
}, 60_000)

describe("what came closest to a strong link", () => {
  it("is not that another's closing word would make one", async () => {
    const { verdict, nearMiss } = await explain(pr(101), githubIssue(43))
    expect([verdict, nearMiss?.kind]).toEqual(["shown_only", "weak"])
    expect(nearMiss?.detail).toMatch(/for a strong one write the line `Fixes #43` into the body$/)
    expect((await explain(pr(102), issue(19))).nearMiss).toMatchObject({ kind: "weak", text: "ENG-19" })
  })

  it("names another repository's issue by its repository", async () => {
    const { nearMiss } = await explain(pr(110), "github:issue:acme/web#42")
    expect(nearMiss?.detail).toMatch(/for a strong one write the line `Fixes acme\/web#42` into the body$/)
  })

  it("is its list, where alone the same words would make one", async () => {
    const { nearMiss } = await explain(pr(103), issue(16))
    expect(nearMiss).toMatchObject({ kind: "listed", field: "body", text: "ENG-16" })
    expect(nearMiss?.detail).toBe(
      `the body names 6 things, too many for a strong link: alone, pull_request_body_closes_issue would tie ${pr(103)} to ${issue(16)}; for a strong one put it into the title or the branch`,
    )
  })

  it("is no list from which it has been taken since", async () => {
    const { verdict, nearMiss } = await explain(pr(109), issue(16))
    expect([verdict, nearMiss?.kind]).toEqual(["withdrawn", "edited"])
  })

  it("counts the other fields where those are too many together", async () => {
    const { nearMiss } = await explain(pr(105), issue(11))
    expect(nearMiss?.detail).toContain(
      "the body names 4 things, all fields together 9, too many for a strong link: alone,",
    )
  })

  it("counts nothing of another's text", async () => {
    for (const [name, number] of [
      ["one", 31],
      ["other", 46],
    ] as const) {
      const { nearMiss } = await explain(commit(name), issue(number))
      expect(nearMiss?.detail).toMatch(
        /^the commit names 6 things, too many for a strong link: alone, commit_/,
      )
    }
  })

  it("is the name that is joined to other characters", async () => {
    for (const number of [11, 153]) {
      const { nearMiss } = await explain(pr(106), issue(number))
      expect(nearMiss).toMatchObject({ kind: "joined", field: "body", text: `ENG-${number}` })
      expect(nearMiss?.detail).toContain("is joined to other characters")
    }
  })

  it("is the key that is mostly something else's, with what makes it a team's", async () => {
    const { nearMiss } = await explain(pr(107), "linear:issue:ABC-12")
    expect(nearMiss).toMatchObject({ kind: "reserved_key", field: "body", text: "ABC-12" })
    expect(nearMiss?.detail).toContain("once an event of Linear's shows a team of that key, it is read")
  })

  it("is the word that skips it, over a list", async () => {
    const { nearMiss } = await explain(pr(108), issue(12))
    expect(nearMiss).toMatchObject({ kind: "skip_word", text: "skip ENG-11, ENG-12", start: 0, end: 19 })
  })
})

it("a list speaks against no link that another field makes strong", async () => {
  const { verdict, counterEvidence, nearMiss } = await explain(pr(104), issue(12))
  expect([verdict, counterEvidence, nearMiss]).toEqual(["linked", [], null])
})

it("signalbox explain counts one event as one", async () => {
  const env = { SIGNALBOX_API_KEY: adminKey }
  const { lines } = await runCommand(explainCommand, [pr(107), "linear:issue:ABC-12", "--url", url], env)
  expect(lines.join("\n")).toContain("The one event of the two was read anew.")
})
