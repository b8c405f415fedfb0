import { expect, it } from "vitest"
import { pullRequest } from "../../fixtures/correlation/github-payload.ts"
import type { StoryRequest } from "../../fixtures/correlation/request.ts"
import type { Explanation } from "../../src/core/explanation.ts"
import { sendWebhook, startTestHub, until } from "../support/hub.ts"
import { linearIssue, pullRequestComment, pullRequestEvent } from "./history-requests.ts"

const hub = await startTestHub()
const at = (minute: number) => new Date(Date.UTC(2026, 10, 21, 10, minute))
const pr = (number: number) => `github:pull_request:acme/api#${number}`
const issue = "linear:issue:ENG-500"

const withTexts = (number: number, body: string, title = "Change limits") =>
  pullRequest({ number, title, body, branch: `change-${number}-x`, author: "dev", openedAt: at(1) })

/** The pull request as it is opened, and then edited, a minute later each time. */
function history(number: number, ...texts: readonly [body: string, title?: string][]): StoryRequest[] {
  return texts.map(([body, title], index) =>
    pullRequestEvent(withTexts(number, body, title), index === 0 ? "opened" : "edited", at(1 + index)),
  )
}

let sent = 0
const logged = () => hub.database.work.query<{ n: number }>("select count(*) as n from event_log")

async function tell(...requests: readonly StoryRequest[]): Promise<void> {
  for (const request of requests) {
    expect((await sendWebhook(hub.url, request.platform, request)).ok).toBe(true)
    sent += 1
    await until(logged, ({ rows }) => rows[0]?.n === sent)
  }
}

async function explain(number: number): Promise<Explanation> {
  const query = new URLSearchParams({ from: pr(number), to: issue }).toString()
  return (await hub.json(`/api/v1/links/explain?${query}`)).body
}

const against = ({ counterEvidence }: Explanation) => counterEvidence.map(({ detail }) => detail)

it("a link that is shown again has nothing said against it by the edit that took it away", async () => {
  await tell(
    linearIssue(
      { number: 500, title: "Work", description: "", createdAt: at(0), previousIdentifiers: [] },
      "create",
      at(0),
    ),
    ...history(1, ["Fixes ENG-500"], [""], ["Fixes ENG-500"]),
    ...history(
      2,
      ["Fixes ENG-500"],
      ["", "Change limits ENG-500"],
      ["Fixes ENG-500"],
      ["", "Limits ENG-500"],
    ),
  )
  for (const number of [1, 2]) {
    const explanation = await explain(number)
    expect([explanation.verdict, against(explanation)]).toEqual(["linked", []])
    expect(explanation.links.some(({ withdrawnBy }) => withdrawnBy !== null)).toBe(true)
  }
})

it("a link that an edit took away is told once, of the thing by its name", async () => {
  await tell(...history(3, ["Fixes ENG-500"], [""], ["Fixes ENG-500"], ["Near ENG-500"]))
  const explanation = await explain(3)
  expect([explanation.verdict, explanation.nearMiss?.kind]).toEqual(["shown_only", "edited"])
  expect(against(explanation)).toEqual([
    `the body of ${pr(3)} was edited since, so pull_request_body_closes_issue no longer makes the link that "ENG-500" in it showed`,
  ])
  expect(
    explanation.links.find(({ withdrawnBy }) => withdrawnBy?.occurredAt === at(4).toISOString()),
  ).toBeTruthy()
  expect(explanation.nearMiss?.eventId).toBe(
    explanation.links.find(({ withdrawnBy }) => withdrawnBy?.occurredAt === at(4).toISOString())?.withdrawnBy
      ?.id,
  )
})

it("a link whose text is gone is told so in a sentence", async () => {
  const remark = { id: 7, text: "As in ENG-500", createdAt: at(2) }
  await tell(
    ...history(4, ["Nothing"]),
    pullRequestComment(withTexts(4, "Nothing"), "created", remark, at(2)),
    pullRequestComment(withTexts(4, "Nothing"), "deleted", remark, at(3)),
  )
  const { verdict, nearMiss } = await explain(4)
  expect([verdict, nearMiss?.kind]).toEqual(["withdrawn", "deleted"])
  expect(nearMiss?.detail).toBe('github:issue_comment:7 is deleted, in which "ENG-500" showed the link')
})
