import { beforeAll, expect, it } from "vitest"
import { pullRequestOpened, pushed } from "../../fixtures/correlation/github.ts"
import { pullRequest } from "../../fixtures/correlation/github-payload.ts"
import { issueCreated } from "../../fixtures/correlation/linear.ts"
import { shaOf } from "../../fixtures/correlation/request.ts"
import { message, messageKeyAt } from "../../fixtures/correlation/slack.ts"
import type { Explanation } from "../../src/core/explanation.ts"
import { adminKey, sendWebhook, startTestHub, until } from "../support/hub.ts"

const { url, database, json } = await startTestHub()
const at = new Date("2026-11-21T10:00:00Z")
const long = `${"y ".repeat(33_000)}Fixes ENG-350`

const logged = () => database.work.query<{ n: number }>("select count(*) as n from event_log")

beforeAll(async () => {
  const requests = [
    issueCreated({ number: 1, title: "A plan", description: long, createdAt: at }),
    pullRequestOpened(
      pullRequest({ number: 7, title: "Limits", body: long, branch: "limits", author: "dev", openedAt: at }),
    ),
    pushed("limits", { sha: shaOf("long"), message: `Limits\n\n${long}` }, "dev", at),
    message("long", { by: "dev", text: long, at }),
  ]
  for (const request of requests) await sendWebhook(url, request.platform, request)
  await fetch(`${url}/api/v1/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
    body: JSON.stringify({ type: "note.written", entity: "custom:note:1", payload: { text: long } }),
  })
  await until(logged, ({ rows }) => rows[0]?.n === requests.length + 1)
}, 60_000)

it.each([
  ["a pull request's body", "github:pull_request:acme/api#7"],
  ["a commit's message", `github:commit:${shaOf("long")}`],
  ["an issue's description", "linear:issue:ENG-1"],
  ["a message", messageKeyAt(at)],
  ["an event of one's own", "custom:note:1"],
])("explain tells of a name beyond what is read of %s", async (_, from) => {
  const query = new URLSearchParams({ from, to: "linear:issue:ENG-350" })
  const { body } = await json(`/api/v1/links/explain?${query.toString()}`)
  const { verdict, counterEvidence }: Explanation = body
  expect(verdict).toBe("not_linked")
  expect(counterEvidence).toMatchObject([{ kind: "past_the_end", text: "ENG-350" }])
})
