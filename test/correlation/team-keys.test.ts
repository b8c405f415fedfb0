import { assert as holds, asyncProperty, shuffledSubarray, subarray } from "fast-check"
import { describe, expect, it } from "vitest"
import { pullRequestOpened } from "../../fixtures/correlation/github.ts"
import { pullRequest } from "../../fixtures/correlation/github-payload.ts"
import { issueCreated } from "../../fixtures/correlation/linear.ts"
import { uuidOf, type StoryRequest } from "../../fixtures/correlation/request.ts"
import { signer } from "../../fixtures/linear/sign.ts"
import { createHub } from "../../src/hub.ts"
import { silentLog } from "../../src/core/log.ts"
import { platforms } from "../../src/platforms/index.ts"
import { teamKeysOf } from "../../src/platforms/linear/team-keys.ts"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import { createNormalizer } from "../../src/core/normalize-event.ts"
import { eventsNaming, learnTeamKeys, noteRead, unreadTeamKeys } from "../../src/store/team-keys.ts"
import { sendWebhook, startTestHub, until } from "../support/hub.ts"
import { insertLogged } from "./graph.ts"

const hub = await startTestHub()
const at = (minute: number) => new Date(Date.UTC(2026, 10, 21, 12, minute))

/** An issue of any team; `previous` are identifiers that it had in other teams. */
function issue(team: string, number: number, previous: readonly string[] = []): StoryRequest {
  const made = issueCreated({ number, title: "A plan", description: "", createdAt: at(number % 60) })
  const body = JSON.parse(made.body.replaceAll("ENG-", `${team}-`).replaceAll('"ENG"', `"${team}"`))
  return {
    ...made,
    label: `${team}-${number}`,
    headers: { ...made.headers, "linear-delivery": uuidOf(`delivery of ${team}-${number}`) },
    body: JSON.stringify({ ...body, data: { ...body.data, previousIdentifiers: previous } }),
  }
}

function opened(number: number, title: string, body: string, branch = `x${number}`): StoryRequest {
  return pullRequestOpened(pullRequest({ number, title, body, branch, author: "dev", openedAt: at(30) }))
}

const issues = [issue("ENG", 1), issue("ENG", 2), issue("OPS", 12), issue("ENG", 7, ["PLA4-7", "4U-3"])]
const others = [
  opened(1, "Read UTF-8 and AB-9", "As we said in ops-12 the other day, and XYZ-77 is nobody's."),
  opened(2, "Go on", "Closes pla4-7, and goes on from ENG-1."),
  opened(3, "Mend it", "Nothing", "sam/mend-4u-3-again"),
  opened(4, "Depends on MISC-4", "Fixes ENG-2"),
  opened(5, "Go on", "fixes ops\u{2011}12"), // the hyphen that breaks no line
  escaped(opened(6, "Go on", "see Ops\u{2010}12")),
]

/** The same body as a sender writes it that escapes hyphens. */
function escaped(request: StoryRequest): StoryRequest {
  const hyphen = /[\u2010\u2011]/g
  return {
    ...request,
    body: request.body.replaceAll(hyphen, (char) => `\\u${char.charCodeAt(0).toString(16)}`),
  }
}

/** What is derived, but for what names an event by its id or its place in the log. */
async function derived() {
  const { rows: links } = await hub.database.work.query(
    `select from_entity, to_entity, relation, rule, strength, confidence, evidence, document, field, stated_at,
       known_to = 'infinity' as known
     from event_correlations order by from_entity, to_entity, relation, rule, occurred_at, evidence::text`,
  )
  const { rows: references } = await hub.database.work.query<{ delivery: string; refs: unknown }>(
    `select e.delivery_id as delivery, (select json_agg(json_build_array(r.subject, r.entity, r.relation, r.evidence)
       order by r.ordinal) from event_references r where r.event_id = e.id) as refs
     from events e join event_log l on l.event_id = e.id order by 1`,
  )
  return { links, references }
}

async function linksTo(prefix: string): Promise<string[]> {
  const { rows } = await hub.database.work.query<{ link: string }>(
    `select distinct from_entity || ' ' || relation || ' ' || to_entity || ' ' || strength as link
     from event_correlations where from_entity like 'github:pull_request:%' and to_entity like $1 order by 1`,
    [`${prefix}%`],
  )
  return rows.map(({ link }) => link)
}

const logged = () => hub.database.work.query<{ n: number }>("select count(*) as n from event_log")

async function clear(): Promise<void> {
  await hub.database.work.query(
    `delete from events; delete from event_keys; delete from event_states; delete from event_log;
     delete from event_references; delete from event_correlations; delete from entity_states;
     delete from event_processing_status; delete from event_performance; delete from github_events;
     delete from linear_events; delete from linear_team_keys`,
  )
}

/** Sends them by four senders at a time, so that batches and workers interleave. */
async function tell(order: readonly StoryRequest[], expected: number): Promise<void> {
  const waiting = [...order]
  const lane = async () => {
    for (let request = waiting.shift(); request !== undefined; request = waiting.shift()) {
      const response = await sendWebhook(hub.url, request.platform, request)
      expect([request.label, response.ok]).toEqual([request.label, true])
    }
  }
  await Promise.all([lane(), lane(), lane(), lane()])
  await until(logged, ({ rows }) => rows[0]?.n === expected)
}

const all = [...issues, ...others]

describe("keys of teams, learned from Linear's events", () => {
  it("tell identifiers from look-alikes, in any case and anywhere", async () => {
    await clear()
    await tell(issues, issues.length)
    await tell(others, all.length)
    expect(await linksTo("linear:issue:")).toEqual([
      "github:pull_request:acme/api#1 may_name linear:issue:AB-9 weak",
      "github:pull_request:acme/api#1 mentions linear:issue:OPS-12 weak",
      "github:pull_request:acme/api#2 implements linear:issue:PLA4-7 strong",
      "github:pull_request:acme/api#2 mentions linear:issue:ENG-1 weak",
      "github:pull_request:acme/api#3 implements linear:issue:4U-3 strong",
      "github:pull_request:acme/api#4 implements linear:issue:ENG-2 strong",
      "github:pull_request:acme/api#4 may_name linear:issue:MISC-4 weak",
      "github:pull_request:acme/api#5 implements linear:issue:OPS-12 strong",
      "github:pull_request:acme/api#6 mentions linear:issue:OPS-12 weak",
    ])
    const { rows } = await hub.database.work.query(
      "select key, read_to >= known_at as read from linear_team_keys order by key",
    )
    expect(rows).toEqual(["4U", "ENG", "OPS", "PLA4"].map((key) => ({ key, read: true })))
  })

  it("read the past as well: whatever comes first or twice, references and links end the same", async () => {
    await clear()
    await tell(issues, issues.length)
    await tell(others, all.length)
    const known = await derived()
    const orders = shuffledSubarray(all, { minLength: all.length }).chain((order) =>
      subarray(order).map((repeats) => [...order, ...repeats]),
    )
    await clear()
    await tell(others, others.length)
    expect(await linksTo("linear:issue:MISC")).toHaveLength(1) // by its looks, until the teams are known
    await tell(issues, all.length)
    expect(await derived()).toEqual(known)
    await holds(
      asyncProperty(orders, async (order) => {
        await clear()
        await tell(order, all.length)
        expect(await derived()).toEqual(known)
      }),
      { numRuns: 12, endOnFailure: true },
    )
  }, 120_000)

  it("read all of a long past, and of it no event but those that may name a team", async () => {
    await clear()
    const filler = Array.from({ length: 2_300 }, (_, index) => ({
      entity: null,
      occurredAt: "2026-11-21T12:00:00Z",
      position: index + 1,
      raw: index % 1_000 === 999 ? '{"text":"see oPs-12"}' : '{"text":"ops-0, opsy-12"}',
    }))
    await insertLogged(hub.database.work, filler)
    await learnTeamKeys(hub.database.work, "default", ["OPS"], uuidOf("nobody's"))
    await hub.database.work.query("update linear_team_keys set known_at = 2300")
    const named: number[] = []
    for (let pages = 0; pages < 10; pages++) {
      const unread = await unreadTeamKeys(hub.database.work, "default")
      if (unread === null) break
      const { ids, readTo } = await eventsNaming(hub.database.work, "default", unread)
      named.push(ids.length)
      await noteRead(hub.database.work, "default", unread.keys, readTo)
    }
    expect(named).toEqual([1, 1, 0])
  })

  it("are one tenant's alone", async () => {
    const { rows } = await hub.database.work.query("select distinct tenant from linear_team_keys")
    expect(rows).toEqual([{ tenant: "default" }])
  })

  it("read of the past whatever may name a team, in whatever way its sender writes it", async () => {
    await clear()
    const naming = [
      '{"text":"see ops-12"}',
      '{"text":"see ops\u{2010}12"}',
      '{"text":"see ops\u{2011}12"}',
      '{"text":"see ops\\u201112"}',
      '{"text":"see \\u006fps-12"}',
      "text=see+ops%2D12",
      "text=see+ops%E2%80%9112",
      "payload=%7B%22text%22%3A%22see+ops%5Cu201112%22%7D",
      "payload=%7B%22text%22%3A%22see+%5cu006fps-12%22%7D",
    ]
    const idle = ['{"text":"see ops\u{2013}12"}', '{"text":"see ops 12"}', "text=see+ops%E2%80%9312"]
    const rows = [...naming, ...idle].map((raw, index) => ({
      id: uuidOf(raw),
      entity: null,
      occurredAt: "2026-11-21T12:00:00Z",
      position: index + 1,
      raw,
    }))
    await insertLogged(hub.database.work, rows)
    const found = await eventsNaming(hub.database.work, "default", { keys: ["OPS"], after: 0, upTo: 100 })
    expect(rows.filter(({ id }) => found.ids.includes(id)).map(({ raw }) => raw)).toEqual(naming)
  })

  it("are read to the end by whoever takes over from a worker that died on the way", async () => {
    await clear()
    await tell(others, others.length)
    const looks = await linksTo("linear:issue:")
    expect(looks).not.toContain("github:pull_request:acme/api#1 mentions linear:issue:OPS-12 weak")
    // Taken in by a hub that has no workers, and claimed by one that died after it had learned the key.
    const front = createHub({
      databaseUrl: hub.database.url,
      roles: ["ingest"],
      port: 0,
      host: "127.0.0.1",
      secrets: { linear: [signer.secrets[0]] },
      log: silentLog,
      env: {},
    })
    await hub.hub.stop()
    await front.start()
    const response = await sendWebhook(front.url ?? "", "linear", issue("OPS", 12))
    const { eventId } = (await response.json()) as { eventId: string }
    await hub.database.work.query(
      `insert into linear_team_keys (tenant, key, first_event, known_at)
       select 'default', 'OPS', $1, position from event_log_head`,
      [eventId],
    )
    await front.stop()
    const next = createHub({
      databaseUrl: hub.database.url,
      roles: ["worker"],
      secrets: {},
      log: silentLog,
      env: {},
    })
    await next.start()
    await until(logged, ({ rows }) => rows[0]?.n === others.length + 1)
    await next.stop()
    expect(await linksTo("linear:issue:OPS")).toEqual([
      "github:pull_request:acme/api#1 mentions linear:issue:OPS-12 weak",
      "github:pull_request:acme/api#5 implements linear:issue:OPS-12 strong",
      "github:pull_request:acme/api#6 mentions linear:issue:OPS-12 weak",
    ])
  })
})

describe("what a webhook of Linear's shows of teams", () => {
  it("is the team's key, the issue's, and those under which it went before", () => {
    expect(teamKeysOf("Team", { key: "eng" })).toEqual(["ENG"])
    expect(teamKeysOf("Project", { key: "not-a-team" })).toEqual([])
    expect(
      teamKeysOf("Issue", {
        team: { key: "ENG" },
        identifier: "ENG-1",
        previousIdentifiers: ["OPS-2", 7, "x"],
      }),
    ).toEqual(["ENG", "OPS"])
    expect(teamKeysOf("Comment", { issue: { identifier: "4U-1", team: { key: "TOOLONGKEY" } } })).toEqual([
      "4U",
    ])
  })

  it("is kept of what arrives, and changes nothing where no text is read", () => {
    const normalize = createNormalizer(platforms)
    const request = issue("OPS", 3)
    const { normalized, event } = normalize({
      id: uuidOf("event"),
      tenant: "default",
      platform: "linear",
      source: "default",
      type: "linear.issue.create",
      name: "Issue:create",
      deliveryId: "d",
      priority: "normal",
      actor: null,
      entity: null,
      title: null,
      url: null,
      occurredAt: null,
      receivedAt: at(1),
      correlationId: "c",
      causationId: null,
      headers: request.headers,
      contentType: "application/json",
      backfilled: false,
      raw: Buffer.from(request.body),
    })
    expect(normalized.teamKeys).toEqual(["OPS"])
    const { correlate } = createCorrelation({ platforms })
    const known = { teamKeys: new Set(["OPS"]) }
    expect(correlate(event, normalized, known)).toEqual(correlate(event, normalized))
  })
})
