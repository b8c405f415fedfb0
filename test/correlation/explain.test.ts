import { beforeAll, describe, expect, it } from "vitest"
import { pullRequestOpened } from "../../fixtures/correlation/github.ts"
import { pullRequest } from "../../fixtures/correlation/github-payload.ts"
import { issueCreated } from "../../fixtures/correlation/linear.ts"
import { toSecond, uuidOf, type StoryRequest } from "../../fixtures/correlation/request.ts"
import { limitsStory } from "../../fixtures/correlation/story.ts"
import { explainCommand } from "../../src/cli/commands/correlation/explain.ts"
import { message, messageKeyAt } from "../../fixtures/correlation/slack.ts"
import { createKey } from "../../src/auth/keys.ts"
import type { Explanation } from "../../src/core/explanation.ts"
import { adminKey, sendWebhook, startTestHub, until } from "../support/hub.ts"
import { runCommand } from "../support/run-command.ts"

const hub = await startTestHub()
// Says where it found what it found no more than it must; a board in lower case is worth less to it.
hub.hub.correlation.rule({
  name: "on_board",
  version: 1,
  on: "github.pull_request.*",
  find: (_, { texts }) => {
    const body = texts.find(({ field }) => field === "body")?.text ?? ""
    const [, word, board] = /(board) (\w+)/i.exec(body) ?? []
    if (board === undefined) return []
    return [
      { to: `custom:board:${board}`, relation: "on_board", strength: word === "Board" ? "strong" : "weak" },
    ]
  },
})
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

/** `message_changed`: the same message with another text. */
function changed(request: StoryRequest, text: string, when: Date): StoryRequest {
  const payload = JSON.parse(request.body)
  const stamp = `${when.getTime() / 1000}.000100`
  const { channel, channel_type, ...said } = payload.event
  const event = {
    type: "message",
    subtype: "message_changed",
    hidden: true,
    channel,
    channel_type,
    ts: stamp,
    event_ts: stamp,
    message: { ...said, text, edited: { user: said.user, ts: stamp } },
    previous_message: said,
  }
  return {
    ...request,
    label: `${request.label}, changed`,
    at: when,
    body: JSON.stringify({ ...payload, event, event_id: `${payload.event_id}C` }),
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
    opened(69, "Like WEB-77"),
    opened(80, "Board 7"),
    opened(81, "Board b7"),
    opened(82, "On board b8, as skip ENG-202 says"),
    opened(83, "Goes with ENG-201"),
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
    const said = rows[0]?.from ?? ""
    const { verdict, path, links } = await explain(said, issue(123))
    expect(verdict).toBe("linked_over_others")
    expect(links).toEqual([])
    expect(path?.map(({ from, to }) => [from, to])).toEqual([
      [said, pr(42)],
      [pr(42), issue(123)],
    ])
  })

  it("and were reverted, are told with the revert", async () => {
    const { counterEvidence } = await explain(pr(42), issue(123))
    expect(counterEvidence.filter(({ kind }) => kind === "revert").map(({ detail }) => detail)).toContain(
      `${pr(44)} reverts ${pr(42)}`,
    )
  })

  it("because the one reverts the other, are not told that this speaks against it", async () => {
    const { verdict, links, counterEvidence } = await explain(pr(44), pr(42))
    expect([verdict, links[0]?.rule]).toEqual(["linked", "reverts"])
    expect(counterEvidence.filter(({ kind }) => kind === "revert")).toEqual([])
    const over = await explain(pr(44), issue(123))
    expect(over.path?.map(({ relation }) => relation)).toEqual(["reverts", "implements"])
    expect(over.counterEvidence.map(({ detail }) => detail)).not.toContain(`${pr(44)} reverts ${pr(42)}`)
  })

  it("by a rule of one's own, are not told that the name it found was not read", async () => {
    for (const [number, board] of [
      [80, "7"],
      [81, "b7"],
    ] as const) {
      const found = await explain(pr(number), `custom:board:${board}`)
      expect([found.verdict, found.counterEvidence, found.nearMiss]).toEqual(["linked", [], null])
      expect(found.summary).toContain("with no words since the rule gives no evidence")
    }
    const weak = await explain(pr(82), "custom:board:b8")
    expect([weak.verdict, weak.counterEvidence]).toEqual(["shown_only", []])
    expect(weak.nearMiss).toMatchObject({ kind: "weak" })
    expect(weak.nearMiss?.detail).toMatch(/rule on_board makes a weak link .* strength: "strong"$/)
    // What the rule says nothing of is told as ever.
    expect((await explain(pr(82), issue(202))).nearMiss).toMatchObject({ kind: "skip_word" })
  })

  it("are told when that was known first, whichever event shows it now", async () => {
    const { links } = await explain(pr(42), issue(123))
    const closings = links.filter(({ rule }) => rule === "pull_request_body_closes_issue")
    const opening = closings.find(({ event }) => event.type === "github.pull_request.opened")
    const last = closings.find(({ renewedBy }) => renewedBy === null)
    expect(last?.firstKnown).toBe(opening?.known?.from)
    expect(last?.known?.from).not.toBe(last?.firstKnown)
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

  it("because nothing is known of the other, are told what names it all the same", async () => {
    const { verdict, nearMiss, unheard, summary } = await explain(pr(69), "linear:issue:WEB-77")
    expect([verdict, unheard]).toEqual(["not_linked", [{ entity: "linear:issue:WEB-77", firstHeard: null }]])
    expect(summary).toMatch(/are not linked: nothing is known of linear:issue:WEB-77$/)
    expect(nearMiss).toMatchObject({ kind: "unknown_team", field: "body", text: "WEB-77" })
  })

  it("since nothing was known of them yet, are told when that began", async () => {
    const { verdict, unheard, summary, examined } = await explain(pr(42), issue(123), {
      asOf: "2001-01-01T00:00:00Z",
    })
    const { rows } = await hub.database.work.query<{ entity: string; first: Date }>(
      `select entity, min(received_at) as first from events where entity = any($1) group by entity`,
      [[pr(42), issue(123)]],
    )
    expect([verdict, examined.events]).toEqual(["not_linked", 0])
    expect(unheard.map(({ entity }) => entity)).toEqual([pr(42), issue(123)])
    for (const { entity, firstHeard } of unheard) {
      expect(Date.parse(firstHeard ?? "")).toBeLessThanOrEqual(
        rows.find((row) => row.entity === entity)?.first.getTime() ?? 0,
      )
      expect(summary).toContain(`nothing was known of ${entity} by then; first heard of at ${firstHeard}`)
    }
  })

  it("but by a bare mention, are told what would make a strong link of it", async () => {
    const { verdict, nearMiss } = await explain(pr(83), issue(201))
    expect([verdict, nearMiss?.kind]).toEqual(["shown_only", "weak"])
    expect(nearMiss?.detail).toContain(
      "for a strong one write the line `Fixes ENG-201` into the body, or put it into the title or the branch",
    )
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

  it("is told to what it had tied in, too", async () => {
    const begun = { by: "dev", at: at(10), text: `<https://github.com/acme/api/pull/65>` } as const
    const reply = { by: "maint", at: at(11), text: "Fine.", inThread: begun } as const
    await tell([message("a word on 65", begun), message("an answer on 65", reply)])
    expect((await explain(messageKeyAt(at(11)), pr(65))).verdict).toBe("linked_over_others")
    await tell([changed(message("a word on 65", begun), "Never mind.", at(12))])
    const { verdict, nearMiss } = await explain(messageKeyAt(at(11)), pr(65))
    expect([verdict, nearMiss?.kind]).toEqual(["not_linked", "edited"])
    expect(nearMiss?.detail).toMatch(
      /^slack:(?:thread|message):\S+ discusses github:pull_request:acme\/api#65 tied the two together and holds no more: .* was edited/,
    )
  })
})

describe("a question that cannot be answered", () => {
  it("is a 404 where nobody told of either, and a 400 for what is no key", async () => {
    const nothing = await ask(issue(9998), issue(9999))
    expect([nothing.status, nothing.body.detail]).toEqual([
      404,
      `nothing is known of ${issue(9998)}, nor of ${issue(9999)}`,
    ])
    for (const name of ["ENG-123", "acme/api#42", "https://linear.app/acme/issue/ENG-123"]) {
      const { status, body } = await ask(name, issue(123))
      expect(status).toBe(400)
      expect(body.detail).toMatch(
        /^from: "\S+" is no entity key: .* GET \/api\/v1\/entities\?name= tells the key/,
      )
    }
    expect((await ask(issue(123), "ENG-124")).body.detail).toMatch(/^to: "ENG-124" is no entity key/)
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

  it("says nothing of events where there were none", async () => {
    const { lines } = await run(pr(62), issue(202), "--as-of", "2001-01-01T00:00:00Z")
    expect(lines.join("\n")).toContain(`nothing was known of ${pr(62)} by then; first heard of at 2`)
    expect(lines.join("\n")).not.toContain("read anew")
  })

  it("says when a link was known first", async () => {
    const { lines } = await run(pr(42), issue(123))
    expect(lines.join("\n")).toMatch(/known since \S+, first shown at \S+/)
  })

  it("says it in JSON", async () => {
    const { lines } = await run(pr(42), issue(123), "--json")
    expect(JSON.parse(lines.join(""))).toEqual(await explain(pr(42), issue(123)))
  })
})
