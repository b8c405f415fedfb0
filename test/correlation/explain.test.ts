import { beforeAll, describe, expect, it } from "vitest"
import { pullRequestOpened } from "../../fixtures/correlation/github.ts"
import { pullRequest } from "../../fixtures/correlation/github-payload.ts"
import { issueCreated } from "../../fixtures/correlation/linear.ts"
import { toSecond, uuidOf, type StoryRequest } from "../../fixtures/correlation/request.ts"
import { limitsStory } from "../../fixtures/correlation/story.ts"
import { explainCommand } from "../../src/cli/commands/correlation/explain.ts"
import { createKey } from "../../src/auth/keys.ts"
import type { Explanation } from "../../src/core/explanation.ts"
import { adminKey, sendWebhook, startTestHub, until } from "../support/hub.ts"
import { runCommand } from "../support/run-command.ts"

const hub = await startTestHub()
const at = (minute: number) => new Date(Date.UTC(2026, 10, 21, 10, minute))
const pr = (number: number) => `github:pull_request:acme/api#${number}`
const issue = (number: number) => `linear:issue:ENG-${number}`

/** A pull request of which nothing but its body names an issue. */
function opened(number: number, body: string, title = "Change limits"): StoryRequest {
  const branch = `change-${number}-x`
  return pullRequestOpened(pullRequest({ number, title, body, branch, author: "dev", openedAt: at(1) }))
}

/** `pull_request` with action `edited`: the same with another body. */
function edited(request: StoryRequest, body: string, when: Date): StoryRequest {
  const payload = JSON.parse(request.body)
  const pull_request = { ...payload.pull_request, body, updated_at: toSecond(when) }
  return {
    ...request,
    label: `${request.label}, edited`,
    at: when,
    headers: { ...request.headers, "x-github-delivery": uuidOf(`${request.label} edited ${when.getTime()}`) },
    body: JSON.stringify({ ...payload, action: "edited", pull_request }),
  }
}

const logged = () => hub.database.work.query<{ n: number }>("select count(*) as n from event_log")

let sent = 0
async function tell(requests: readonly StoryRequest[]): Promise<void> {
  for (const request of requests) {
    const response = await sendWebhook(hub.url, request.platform, request)
    expect([request.label, response.ok]).toEqual([request.label, true])
  }
  sent += requests.length
  await until(logged, ({ rows }) => rows[0]?.n === sent)
}

async function ask(from: string, to: string, more: Record<string, string> = {}) {
  return hub.json(`/api/v1/links/explain?${new URLSearchParams({ from, to, ...more }).toString()}`)
}

async function explain(from: string, to: string, more?: Record<string, string>): Promise<Explanation> {
  const { status, body } = await ask(from, to, more)
  expect([status, body]).toEqual([200, body])
  return body
}

beforeAll(async () => {
  const issues = Array.from({ length: 60 }, (_, index) => 501 + index)
  await tell([
    ...limitsStory().requests,
    ...[201, 202, 203, 204, 501].map((number) =>
      issueCreated({ number, title: "A plan", description: "", createdAt: at(0) }),
    ),
    opened(61, "Closes ENG-201"),
    opened(62, "Goes on.\n\nskip ENG-202"),
    opened(63, "As in:\n```\nCloses ENG-203\n```"),
    opened(64, issues.map((number) => `- Closes ENG-${number}`).join("\n"), "Release 2.0"),
    opened(65, "Nothing to see"),
    opened(67, "Goes with NAN-655"),
    opened(68, "https://linear.app/acme/issue/NAN-655/another-plan"),
  ])
}, 60_000)

describe("two things that are linked", () => {
  it("are explained by every event that shows it, with its words, rule and confidence", async () => {
    const explanation = await explain(pr(42), issue(123))
    expect(explanation).toMatchObject({
      verdict: "linked",
      asOf: null,
      timelines: { fromHoldsTo: true, toHoldsFrom: true },
      nearMiss: null,
    })
    const [first] = explanation.links
    expect(first?.known).toMatchObject({ to: null })
    const closings = explanation.links.filter(({ rule }) => rule === "pull_request_body_closes_issue")
    // What was said when it was opened was said again, the last time when it was merged.
    const last = closings.find(({ renewedBy }) => renewedBy === null)
    expect(last).toMatchObject({ event: { type: "github.pull_request.closed" }, known: { to: null } })
    const opening = closings.find(({ event }) => event.type === "github.pull_request.opened")
    expect(opening?.renewedBy?.type).toMatch(/^github\.pull_request/)
    expect(opening).toMatchObject({
      from: pr(42),
      to: issue(123),
      strength: "strong",
      rule: "pull_request_body_closes_issue",
      evidence: { text: "ENG-123", start: 7, end: 14 },
      event: { title: "Limit the rate of requests" },
      withdrawnBy: null,
    })
    expect(explanation.path).toHaveLength(1)
    expect(explanation.summary).toContain(pr(42))
  })

  it("are the same whichever is asked first", async () => {
    const one = await explain(pr(42), issue(123))
    const other = await explain(issue(123), pr(42))
    expect(other.links).toEqual(one.links)
    expect(other.verdict).toBe(one.verdict)
  })

  it("over others, are explained by the way from one to the other", async () => {
    const { rows } = await hub.database.work.query<{ from: string }>(
      `select distinct from_entity as "from" from event_correlations
       where from_entity like 'slack:message:%' and to_entity = $1 and strength = 'strong'`,
      [pr(42)],
    )
    const message = rows[0]?.from ?? ""
    const { verdict, path, links } = await explain(message, issue(123))
    expect(verdict).toBe("linked_over_others")
    expect(links).toEqual([])
    expect(path?.map(({ from, to }) => [from, to])).toEqual([
      [message, pr(42)],
      [pr(42), issue(123)],
    ])
  })

  it("and were reverted, are told with the revert", async () => {
    const { counterEvidence } = await explain(pr(42), issue(123))
    expect(counterEvidence.filter(({ kind }) => kind === "revert").map(({ detail }) => detail)).toContain(
      `${pr(44)} reverts ${pr(42)}`,
    )
  })
})

describe("two things that are not linked", () => {
  it("because of a skip word, are told so", async () => {
    const { verdict, nearMiss, examined } = await explain(pr(62), issue(202))
    expect(verdict).toBe("not_linked")
    expect(nearMiss).toMatchObject({
      kind: "skip_word",
      field: "body",
      text: "skip ENG-202",
      start: 10,
      end: 22,
    })
    expect(examined).toEqual({ events: 2, complete: true })
  })

  it("because the name stands in code, are told so", async () => {
    const { nearMiss } = await explain(issue(203), pr(63))
    expect(nearMiss).toMatchObject({ kind: "quoted", field: "body", text: "ENG-203" })
  })

  it("because no team has that key, are told so", async () => {
    const { nearMiss } = await explain(pr(67), "linear:issue:NAN-655")
    expect(nearMiss).toMatchObject({ kind: "unknown_team", field: "body", text: "NAN-655" })
  })

  it("because of a long list, are shown at each other, and told that alone they would be", async () => {
    const { verdict, nearMiss, path } = await explain(pr(64), issue(501))
    expect(verdict).toBe("shown_only")
    expect(path).toBeNull()
    expect(nearMiss).toMatchObject({ kind: "listed" })
    expect(nearMiss?.detail).toContain("60 things")
  })

  it("by anything at all, get no reason made up", async () => {
    const { verdict, nearMiss, links, references, counterEvidence } = await explain(pr(65), issue(204))
    expect({ verdict, nearMiss, links, references, counterEvidence }).toEqual({
      verdict: "not_linked",
      nearMiss: null,
      links: [],
      references: [],
      counterEvidence: [],
    })
  })

  it("although today's rules would link them, are told that the stored links are out of date", async () => {
    await tell([opened(66, "Closes ENG-204")])
    await hub.database.work.query("delete from event_correlations where from_entity = $1", [pr(66)])
    const { verdict, nearMiss } = await explain(pr(66), issue(204))
    expect(verdict).toBe("not_linked")
    expect(nearMiss).toMatchObject({ kind: "outdated", field: "body", text: "ENG-204" })
  })
})

describe("a link that was withdrawn", () => {
  it("is told with the event that ended it, and stands for the time before", async () => {
    const before = await explain(pr(61), issue(201))
    expect(before.verdict).toBe("linked")
    const then = new Date().toISOString()
    await tell([edited(opened(61, ""), "No more of that", at(9))])
    const after = await explain(pr(61), issue(201))
    expect(after.verdict).toBe("withdrawn")
    expect(after.links[0]?.withdrawnBy).toMatchObject({
      type: "github.pull_request.edited",
      occurredAt: at(9).toISOString(),
      deleted: false,
    })
    expect(after.counterEvidence[0]).toMatchObject({ kind: "edited", text: "ENG-201" })
    const asOf = await explain(pr(61), issue(201), { asOf: then })
    expect([asOf.verdict, asOf.asOf, asOf.counterEvidence]).toEqual(["linked", then, []])
  })
})

describe("a question that cannot be answered", () => {
  it("is a 404 for what nobody told of, and a 400 for what is no key", async () => {
    expect((await ask(pr(42), issue(9999))).status).toBe(404)
    const { status, body } = await ask("ENG-123", issue(123))
    expect([status, body.detail]).toEqual([400, "from: not an entity key such as linear:issue:ENG-123"])
    expect((await ask(issue(123), "linear:issue:eng-123")).status).toBe(400)
    expect((await hub.json(`/api/v1/links/explain?from=${issue(123)}`)).status).toBe(400)
    expect((await ask(pr(42), issue(123), { asOf: "yesterday" })).status).toBe(400)
  })

  it("is nothing to another tenant, or without the scope", async () => {
    const key = (scopes: ("events:read" | "streams:read")[]) =>
      createKey(hub.database.work, { name: "other", tenant: "other", scopes, expiresAt: null })
    const path = `/api/v1/links/explain?${new URLSearchParams({ from: pr(42), to: issue(123) }).toString()}`
    expect((await hub.request(path, { key: (await key(["events:read"])).key })).status).toBe(404)
    expect((await hub.request(path, { key: (await key(["streams:read"])).key })).status).toBe(403)
  })
})

describe("signalbox explain", () => {
  const env = { SIGNALBOX_API_KEY: adminKey }
  const run = (...args: string[]) => runCommand(explainCommand, [...args, "--url", hub.url], env)

  it("says it in sentences", async () => {
    const { status, lines } = await run(pr(62), issue(202))
    expect(status).toBe(0)
    expect(lines[0]).toBe(`${pr(62)} and ${issue(202)} are not linked.`)
    expect(lines.join("\n")).toContain('Closest: "skip ENG-202" in the body')
  })

  it("says it in JSON", async () => {
    const { lines } = await run(pr(42), issue(123), "--json")
    expect(JSON.parse(lines.join(""))).toEqual(await explain(pr(42), issue(123)))
  })
})
