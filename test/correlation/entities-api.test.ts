import { Hono } from "hono"
import { describe, expect, it } from "vitest"
import { entityRoutes } from "../../src/api/entities.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import { readAs } from "../../src/store/database.ts"
import { timeline, type Timeline, type TimelineCursor } from "../../src/store/timeline.ts"
import { testDatabase } from "../support/database.ts"
import { quietProblems } from "../support/quiet-problems.ts"
import { edge, insertEdges, insertLogged } from "./graph.ts"

const database = await testDatabase()
const issue = "linear:issue:ENG-123"
const pr = "github:pull_request:acme/api#42"
const commit = `github:commit:${"a".repeat(40)}`

const app = quietProblems(new Hono())
app.route(
  "/api/v1/entities",
  entityRoutes(database, (c) => c.req.header("x-tenant") ?? "default"),
)

async function get(path: string, tenant = "default") {
  const response = await app.request(`/api/v1/entities/${path}`, { headers: { "x-tenant": tenant } })
  return { status: response.status, type: response.headers.get("content-type"), text: await response.text() }
}

/** A page, parsed. */
async function page(path: string, tenant?: string) {
  const { status, text } = await get(path, tenant)
  expect([status, text]).toEqual([200, text])
  return JSON.parse(text) as {
    entity: string
    events: { id: string; position: number; entity: string; payload?: unknown; via: { from: string }[] }[]
    links: Record<string, unknown>[]
    nextCursor: string | null
    truncated: boolean
  }
}

const eventIds = Array.from({ length: 6 }, () => uuidv7())
const [opened = "", merged = "", deployed = "", planned = "", aside = "", foreign = ""] = eventIds

await insertLogged(database.work, [
  // Positions are in order of arrival, times in order of happening.
  { id: deployed, entity: "deployment:fly/1", occurredAt: "2026-11-21T12:30:00Z", position: 1 },
  {
    id: opened,
    entity: pr,
    occurredAt: "2026-11-21T12:10:00.123456Z",
    position: 2,
    raw: '{"n":12345678901234567890,\n"s":"\\ud800"}',
  },
  { id: planned, entity: issue, occurredAt: "2026-11-21T12:00:00Z", position: 3 },
  { id: merged, entity: pr, occurredAt: "2026-11-21T12:10:00.123456Z", position: 4 },
  { id: aside, entity: "linear:issue:ENG-200", occurredAt: "2026-11-21T12:05:00Z", position: 5 },
  { id: foreign, entity: issue, occurredAt: "2026-11-21T12:01:00Z", position: 6, tenant: "other" },
])
await insertEdges(database.work, [
  {
    ...edge(`${pr} -implements-> ${issue}`),
    rule: "by_title",
    eventId: opened,
    confidence: 0.9,
    evidence: { field: "title", text: "ENG-123", start: 0, end: 7 },
  },
  { ...edge(`${pr} -implements-> ${issue}`), rule: "by_branch", eventId: opened, confidence: 0.95 },
  {
    ...edge(`${pr} -implements-> ${issue}`),
    rule: "by_title",
    eventId: merged,
    confidence: 0.9,
    occurredAt: "2026-11-21T12:00:01Z",
  },
  { ...edge(`${pr} -contains-> ${commit}`), eventId: merged },
  { ...edge(`deployment:fly/1 -deploys-> ${commit}`), eventId: deployed },
  { ...edge(`${pr} -tracks-> ${issue}`), eventId: deployed },
  { ...edge(`${pr} ~mentions~> linear:issue:ENG-200`), eventId: opened, confidence: 0.5 },
  { ...edge(`${issue} -own-> linear:issue:ENG-200`), eventId: foreign, tenant: "other" },
])
await database.work.query(
  `insert into event_references (event_id, tenant, ordinal, subject, entity, relation, evidence) values
     ($1, 'default', 1, null, $2, 'merged_as', '{"field":"b","text":"2"}'),
     ($1, 'default', 0, 'x:1', $3, 'mentions', '{"field":"a","text":"1"}')`,
  [merged, commit, issue],
)

describe("a timeline", () => {
  it("holds the events of all that is linked, in the order in which they happened", async () => {
    const { entity, events, nextCursor, truncated } = await page("linear%3Aissue%3AENG-123/timeline")
    expect(entity).toBe(issue)
    expect(events.map(({ id }) => id)).toEqual([planned, opened, merged, deployed])
    expect([nextCursor, truncated]).toEqual([null, false])
  })

  it("shows each event as the API does, with the links that tie it in", async () => {
    const { events } = await page("linear%3Aissue%3AENG-123/timeline")
    expect(events[0]?.via).toEqual([])
    expect(events[2]).toEqual({
      id: merged,
      position: 4,
      tenant: "default",
      platform: "github",
      source: "default",
      type: "github.pull_request.opened",
      name: "name",
      deliveryId: merged,
      actor: null,
      entity: pr,
      references: [
        { entity: issue, relation: "mentions", evidence: { field: "a", text: "1" }, subject: "x:1" },
        { entity: commit, relation: "merged_as", evidence: { field: "b", text: "2" } },
      ],
      title: null,
      url: null,
      priority: "normal",
      occurredAt: "2026-11-21T12:10:00.123Z",
      receivedAt: "2026-11-21T12:10:00.123Z",
      correlationId: "c",
      causationId: null,
      backfilled: false,
      payload: {},
      via: [
        {
          from: pr,
          to: issue,
          relation: "implements",
          rule: "by_branch",
          ruleVersion: 1,
          strength: "strong",
          confidence: 0.95,
          evidence: { field: "test", text: "implements" },
          eventId: opened,
          occurredAt: "2026-11-21T12:00:00.000Z",
        },
      ],
    })
    expect(events[3]?.via).toMatchObject([
      { from: pr, to: issue },
      { from: pr, to: commit },
      { from: "deployment:fly/1", to: commit },
    ])
  })

  it("names every rule that made a link, the surest first, each by its earliest event", async () => {
    const { links } = await page("linear%3Aissue%3AENG-123/timeline")
    expect(links).toMatchObject([
      { from: pr, to: issue, rule: "by_branch", eventId: opened },
      {
        from: pr,
        to: issue,
        rule: "by_title",
        eventId: opened,
        evidence: { text: "ENG-123", start: 0, end: 7 },
      },
      { from: pr, to: commit, rule: "test", eventId: merged },
      { from: "deployment:fly/1", to: commit, rule: "test", eventId: deployed },
      { from: pr, to: issue, relation: "tracks", eventId: deployed }, // on nobody's way, and yet among them
    ])
  })

  it("comes in pages without gap or repeat, also within one instant", async () => {
    const seen: string[] = []
    let cursor: string | null = ""
    while (cursor !== null) {
      const { events, nextCursor } = await page(
        `linear%3Aissue%3AENG-123/timeline?limit=1${cursor === "" ? "" : `&cursor=${cursor}`}`,
      )
      seen.push(...events.map(({ id }) => id))
      cursor = nextCursor
    }
    expect(seen).toEqual([planned, opened, merged, deployed])
  })

  it("gives payloads as they were written, or leaves them out", async () => {
    const { text } = await get("linear%3Aissue%3AENG-123/timeline")
    expect(text).toContain('"payload":{"n":12345678901234567890, "s":"\\ud800"}')
    const { events } = await page("linear%3Aissue%3AENG-123/timeline?payload=false")
    expect(events).toHaveLength(4)
    expect(events.map((event) => "payload" in event)).toEqual([false, false, false, false])
  })

  it("ends a page at 16 MiB of bodies, and goes on with the next", async () => {
    const mebibytes = [7, 7, 7, 17, 1]
    await insertLogged(
      database.work,
      mebibytes.map((_, index) => ({
        tenant: "large",
        entity: issue,
        occurredAt: `2026-11-21T12:0${index}:00Z`,
        position: 100 + index,
      })),
    )
    await database.work.query(
      `update events set raw = convert_to(repeat('x', ($1::int[])[position - 99] * 1048576), 'UTF8')
       from event_log where event_id = id and event_log.tenant = 'large'`,
      [mebibytes],
    )
    await database.work.query(
      "update event_log set bytes = ($1::int[])[position - 99] * 1048576 where tenant = 'large'",
      [mebibytes],
    )
    const read = (options: { cursor?: TimelineCursor | null; payload?: boolean }) =>
      readAs(database, "large", (db) => timeline(db, "large", issue, { limit: 100, ...options }))
    const pages: number[][] = []
    let cursor: TimelineCursor | null = null
    do {
      const { events, nextCursor }: Timeline = await read({ cursor })
      pages.push(events.map(({ event }) => event.raw.length / 2 ** 20))
      cursor = nextCursor
    } while (cursor !== null)
    expect(pages).toEqual([[7, 7], [7], [17], [1]])
    const heads = await read({ payload: false }) // reads no bodies, so it has none to bound
    expect([heads.events.length, heads.nextCursor]).toEqual([5, null])
  })

  it("is the same from wherever in the story it is asked for", async () => {
    for (const key of [pr, commit, "deployment:fly/1"]) {
      const { events } = await page(`${encodeURIComponent(key)}/timeline`)
      expect(events.map(({ id }) => id)).toEqual([planned, opened, merged, deployed])
    }
  })

  it("holds a thing.s own events where only weak links lead away", async () => {
    const { events } = await page(`${encodeURIComponent("linear:issue:ENG-200")}/timeline`)
    expect(events.map(({ id }) => id)).toEqual([aside])
  })
})

describe("links", () => {
  it("are those from the entity, then those to it, strong before weak, each with its evidence", async () => {
    const { entity, links, nextCursor } = await page(`${encodeURIComponent(pr)}/links`)
    expect(entity).toBe(pr)
    expect(nextCursor).toBeNull()
    expect(
      links.map(({ to, relation, rule, strength, direction, eventId }) => [
        to,
        relation,
        rule,
        strength,
        direction,
        eventId,
      ]),
    ).toEqual([
      [commit, "contains", "test", "strong", "out", merged],
      [issue, "implements", "by_branch", "strong", "out", opened],
      [issue, "implements", "by_title", "strong", "out", opened],
      [issue, "implements", "by_title", "strong", "out", merged],
      [issue, "tracks", "test", "strong", "out", deployed],
      ["linear:issue:ENG-200", "mentions", "test", "weak", "out", opened],
    ])
    expect((await page("linear%3Aissue%3AENG-200/links")).links).toEqual([
      {
        from: pr,
        to: "linear:issue:ENG-200",
        relation: "mentions",
        rule: "test",
        ruleVersion: 1,
        strength: "weak",
        confidence: 0.5,
        evidence: { field: "test", text: "mentions" },
        eventId: opened,
        occurredAt: "2026-11-21T12:00:00.000Z",
        direction: "in",
      },
    ])
  })

  it.each([1, 2, 3])("come in pages of %i without gap or repeat", async (limit) => {
    const key = encodeURIComponent("x:hub")
    const edges = ["x:hub -r-> x:1", "x:hub -r-> x:2", "x:hub ~r~> x:3", "x:4 -r-> x:hub", "x:5 ~r~> x:hub"]
    const tenant = `pages${limit}`
    await insertEdges(
      database.work,
      [...edges, ...edges].map((written) => ({ ...edge(written), tenant })),
    )
    const whole = await page(`${key}/links`, tenant)
    expect(whole.links).toHaveLength(10)
    const seen: unknown[] = []
    let cursor: string | null = ""
    while (cursor !== null) {
      const next = await page(
        `${key}/links?limit=${limit}${cursor === "" ? "" : `&cursor=${cursor}`}`,
        tenant,
      )
      expect(next.links.length).toBeLessThanOrEqual(limit)
      seen.push(...next.links)
      cursor = next.nextCursor
    }
    expect(seen).toEqual(whole.links)
  })
})

describe("an entity is found", () => {
  it("a timeline is turned page by page however far ahead its clocks are", async () => {
    const far = "deployment:far"
    const ids = [uuidv7(), uuidv7(), uuidv7()]
    await insertLogged(
      database.work,
      ids.map((id, index) => ({
        id,
        entity: far,
        occurredAt: "9999-12-31T23:59:59.999999Z",
        position: 100 + index,
        tenant: "far",
      })),
    )
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const { events, nextCursor } = await page(
        `${far}/timeline?limit=1${cursor === null ? "" : `&cursor=${cursor}`}`,
        "far",
      )
      seen.push(...events.map(({ id }) => id))
      cursor = nextCursor
    } while (cursor !== null)
    expect(seen).toEqual(ids)
  })

  it.each([
    ["linear:issue:eng-123", issue],
    ["LINEAR%3Aissue%3AENG-123", issue],
    ["github%3Apull_request%3AAcme%2FAPI%2342", pr],
    ["github:pull_request:acme/api%2342", pr],
    ["deployment:fly/1", "deployment:fly/1"],
    ["deployment%3Afly%2F1", "deployment:fly/1"],
  ])("by %s", async (path, key) => {
    expect((await page(`${path}/timeline`)).entity).toBe(key)
    expect((await page(`${path}/links`)).entity).toBe(key)
  })

  it("whatever its key holds", async () => {
    const keys = [
      "x:100%",
      "x:a%2Fb",
      "x:/timeline",
      "x:a/links",
      "x:ü ß",
      "x:a?b&c=d",
      "x:a+b",
      "github:branch:acme/api@A/b#c",
    ]
    await insertEdges(
      database.work,
      keys.map((from) => ({ from, to: "x:other", relation: "own" })),
    )
    for (const key of keys) expect((await page(`${encodeURIComponent(key)}/links`)).entity).toBe(key)
  })

  it.each([
    ["linear:issue:ENG-999/timeline", 404, "not_found"],
    ["linear:issue:ENG-999/links", 404, "not_found"],
    ["nonsense/timeline", 400, "bad_request"],
    ["github:acme/links", 400, "bad_request"],
    ["linear:issue:ENG-123/timeline?limit=0", 400, "bad_request"],
    ["linear:issue:ENG-123/timeline?limit=501", 400, "bad_request"],
    ["linear:issue:ENG-123/timeline?limit=ten", 400, "bad_request"],
    ["linear:issue:ENG-123/timeline?payload=no", 400, "bad_request"],
    ["linear:issue:ENG-123/timeline?filter=x", 400, "bad_request"],
    ["linear:issue:ENG-123/timeline?cursor=!!", 400, "bad_request"],
    ["linear:issue:ENG-123/timeline?cursor=WzEsImEiXQ", 400, "bad_request"],
    ["linear:issue:ENG-123/timeline?cursor=WzFlMzAwLDFd", 400, "bad_request"],
    ["linear:issue:ENG-123/links?cursor=WzEsMl0", 400, "bad_request"],
    ["linear:issue:ENG-999", 404, "not_found"],
    ["nonsense", 400, "bad_request"],
    ["linear:issue:%E0%A4%A", 400, "bad_request"],
    ["linear:issue:ENG-123?limit=1", 400, "bad_request"],
    ["linear:issue:ENG-123?asOf=yesterday", 400, "bad_request"],
  ])("not by %s: %i", async (path, status, code) => {
    const answer = await get(path)
    expect([answer.status, answer.type]).toEqual([status, "application/problem+json"])
    expect(JSON.parse(answer.text)).toMatchObject({ status, code })
  })

  it("within its tenant alone", async () => {
    const { events } = await page("linear:issue:ENG-123/timeline", "other")
    expect(events.map(({ id }) => id)).toEqual([foreign])
    expect((await page("linear:issue:ENG-123/links", "other")).links).toMatchObject([{ relation: "own" }])
    expect((await get(`${encodeURIComponent(pr)}/timeline`, "other")).status).toBe(404)
  })
})
