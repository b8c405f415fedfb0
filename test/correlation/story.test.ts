import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { limitsStory, loggerStory, storyStart, type Story } from "../../fixtures/correlation/story.ts"
import { deployed } from "../../fixtures/correlation/deployment.ts"
import { shaOf, type StoryRequest } from "../../fixtures/correlation/request.ts"
import { message } from "../../fixtures/correlation/slack.ts"
import type { Link, PlatformName } from "../../src/core/envelope.ts"
import { parsePayload } from "../../src/core/payload.ts"
import type { Message } from "../../src/core/platform.ts"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import { platforms } from "../../src/platforms/index.ts"
import { platformByName } from "../../src/platforms/index.ts"
import { createDerive } from "../../src/processing/derive.ts"
import { insertEvents } from "../../src/store/events.ts"
import { appendToLog } from "../../src/store/append-log.ts"
import { readAs, transaction } from "../../src/store/database.ts"
import { updateEvents } from "../../src/store/processing.ts"
import { insertLinks, insertReferences } from "../../src/store/relations.ts"
import { timeline } from "../../src/store/timeline.ts"
import { loadSigner, signRequest } from "../support/fixtures.ts"
import { testDatabase } from "../support/database.ts"
import { newEvent } from "../processing/support.ts"
import { eventOf } from "./support.ts"

const limits = limitsStory()
const logger = loggerStory()
const everything = [...limits.requests, ...logger.requests]
const correlation = createCorrelation({ platforms })

/** A request of any platform; submitted events are made like those that come in. */
type Incoming = Omit<StoryRequest, "platform"> & { platform: PlatformName }

function platformOf(request: Incoming) {
  const platform = platformByName(request.platform)
  if (platform === undefined) throw new Error(`no platform ${request.platform}`)
  return platform
}

function messageOf({ headers, body, at }: Incoming): Message {
  const contentType = headers["content-type"] ?? ""
  return { headers, contentType, payload: parsePayload(Buffer.from(body), contentType), receivedAt: at }
}

/** The links that an event shows, in one order and by content alone. */
function linksShown(requests: readonly StoryRequest[]): string[] {
  const shown = requests.flatMap((request) => {
    const normalized = platformOf(request).normalize(messageOf(request))
    const { links, failures } = correlation.correlate(
      eventOf(normalized, { platform: request.platform }),
      normalized,
    )
    expect(failures).toEqual([])
    return links
  })
  return [...new Set(shown.map((link) => JSON.stringify(link)))].toSorted()
}

const strongLinks = linksShown(everything)
  .map((link) => JSON.parse(link) as Link)
  .filter(({ strength }) => strength === "strong")

describe("the story's webhooks", () => {
  it.each(everything.map((request) => [request.label, request] as const))(
    "%s is signed, known and about something",
    async (_, request) => {
      const platform = platformOf(request)
      const signer = await loadSigner(request.platform)
      if (signer === null) throw new Error(`${request.platform} signs nothing`)
      const sent = signRequest(
        { headers: request.headers, body: Buffer.from(request.body), receivedAt: request.at },
        signer,
      )
      const secrets = signer.secrets.map((value, index) => ({ id: `${index}`, value }))
      expect(platform.verify(sent, secrets)).toEqual({ ok: true, secretId: "0" })
      const normalized = platform.normalize(messageOf(request))
      expect(normalized.occurredAt).toEqual(new Date(Math.floor(request.at.getTime() / 1000) * 1000))
      expect([...limits.entities, ...logger.entities]).toContain(normalized.entity)
      expect(normalized.actor).not.toBeNull()
      expect(normalized.title).not.toBeNull()
    },
  )

  it("are deliveries of their own", () => {
    const keys = everything.map((request) => {
      const { key } = platformOf(request).identify(messageOf(request), Buffer.from(request.body))
      return `${request.platform} ${key}`
    })
    expect(new Set(keys).size).toBe(everything.length)
  })

  it("tie ENG-123 to its pull request in every way there is", () => {
    const issue = "linear:issue:ENG-123"
    const pr = "github:pull_request:acme/api#42"
    const rules = strongLinks.filter(({ from, to }) => from === pr && to === issue).map(({ rule }) => rule)
    expect(new Set(rules)).toEqual(
      new Set(["pull_request_branch_names_issue", "pull_request_body_closes_issue"]),
    )
    expect(strongLinks.filter(({ rule }) => rule === "issue_attaches_pull_request")).toMatchObject([
      { from: pr, relation: "implements" },
    ])
  })

  it("tie nothing of one story to the other, but for a mention", () => {
    const ours = new Set(limits.entities)
    const theirs = new Set(logger.entities)
    const across = linksShown(everything)
      .map((link) => JSON.parse(link) as Link)
      .filter(({ from, to }) => (ours.has(from) && theirs.has(to)) || (theirs.has(from) && ours.has(to)))
    expect(across.map(({ from, to, strength }) => `${from} ${strength} ${to}`).toSorted()).toEqual([
      "github:pull_request:acme/api#43 weak linear:issue:ENG-123",
      "linear:issue:ENG-200 weak linear:issue:ENG-123",
    ])
  })
})

it("any order and repetition of the story shows the same links", () => {
  const links = linksShown(everything)
  fc.assert(
    fc.property(
      fc.shuffledSubarray([...everything, ...everything], { minLength: 2 * everything.length }),
      (shuffled) => {
        expect(linksShown(shuffled)).toEqual(links)
      },
    ),
    { numRuns: 30 },
  )
})

const database = await testDatabase()
const derive = createDerive(platforms, correlation.correlate)
let tenants = 0

/** Takes requests in, each as a batch of its own, in a tenant of their own; answers the tenant. */
async function takeIn(requests: readonly Incoming[]): Promise<string> {
  const tenant = `tenant${++tenants}`
  const taken = new Set<string>()
  for (const request of requests) {
    const platform = platformOf(request)
    const parsed = messageOf(request)
    const raw = Buffer.from(request.body)
    const { key, name, type, priority } = platform.identify(parsed, raw)
    if (taken.has(key)) continue // as ingest does by the unique key of a delivery
    taken.add(key)
    const event = newEvent(parsed.payload, {
      tenant,
      platform: request.platform,
      type,
      name,
      priority,
      deliveryId: key,
      receivedAt: request.at,
      headers: parsed.headers,
      contentType: parsed.contentType,
      raw,
    })
    const stored = {
      ...event,
      backfilled: false,
      actor: null,
      entity: null,
      title: null,
      url: null,
      occurredAt: null,
    }
    const derived = derive(stored, 1)
    await transaction(database.work, async (db) => {
      await insertEvents(db, [event])
      await updateEvents(db, [derived.eventRow])
      await insertReferences(db, derived.referenceRows)
      await insertLinks(db, derived.linkRows)
      await appendToLog(db, [derived.logRow], [])
    })
  }
  return tenant
}

/** A story's timeline as the database gives it: what happened, to what, and how that is tied in. */
async function timelineOf(tenant: string, entity: string) {
  const { events, truncated } = await readAs(database, tenant, (db) =>
    timeline(db, tenant, entity, { limit: 500 }),
  )
  expect(truncated).toBe(false)
  return events.map(({ event, via }) => ({
    type: event.type,
    entity: event.entity,
    deliveryId: event.deliveryId,
    via: via.map(({ from, relation, to, rule, evidence }) => ({ from, relation, to, rule, evidence })),
  }))
}

const idsOf = (story: Story) =>
  story.requests.map(
    (request) => platformOf(request).identify(messageOf(request), Buffer.from(request.body)).key,
  )

describe("in the database", async () => {
  const tenant = await takeIn(everything)

  it.each([limits, logger])(
    "every event of $issue is in its timeline, in order, and no other",
    async (story) => {
      const events = await timelineOf(tenant, story.issue)
      expect(events.map(({ deliveryId }) => deliveryId)).toEqual(idsOf(story))
      expect(new Set(events.map(({ entity }) => entity))).toEqual(new Set(story.entities))
    },
  )

  it("every event is tied to the issue by a chain of links", async () => {
    for (const { entity, via } of await timelineOf(tenant, limits.issue)) {
      let at: string = limits.issue
      for (const step of via) {
        expect([step.from, step.to]).toContain(at)
        at = step.from === at ? step.to : step.from
      }
      expect(at).toBe(entity)
    }
  })

  it("the timeline is the same from every entity of the story", async () => {
    for (const entity of limits.entities) {
      const events = await timelineOf(tenant, entity)
      expect([entity, events.map(({ deliveryId }) => deliveryId)]).toEqual([entity, idsOf(limits)])
    }
  })

  it("what is about both issues is in both timelines and joins neither to the other", async () => {
    const at = new Date(storyStart.getTime() + 3_600_000)
    const both = [
      deployed({
        id: "both",
        sha: shaOf("both"),
        environment: "production",
        status: "success",
        at,
        prs: [42, 43],
      }),
      message("a digest", {
        by: "dev",
        text: "Today: <https://github.com/acme/api/pull/42> <https://github.com/acme/api/pull/43>",
        at: new Date(at.getTime() + 1000),
      }),
      {
        label: "an incident",
        platform: "custom" as const,
        at: new Date(at.getTime() + 2000),
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          type: "incident.opened",
          entity: "incident:outage:7",
          references: [
            { entity: "linear:issue:eng-123" },
            { entity: "linear:issue:ENG-200", relation: "caused_by" },
          ],
          occurredAt: new Date(at.getTime() + 2000),
        }),
      },
    ]
    const joined = await takeIn([...both, ...everything])
    for (const story of [limits, logger]) {
      const events = await timelineOf(joined, story.issue)
      expect(events.slice(0, -3).map(({ deliveryId }) => deliveryId)).toEqual(idsOf(story))
      expect(events.slice(-3).map(({ type }) => type)).toEqual([
        "deployment.production.success",
        "slack.message.posted",
        "incident.opened",
      ])
    }
    const all = await timelineOf(joined, "deployment:both")
    expect(all).toHaveLength(everything.length + 3)
  })

  it("any order and repetition of arrival ends in the same timeline and the same links", async () => {
    const expected = await timelineOf(tenant, limits.issue)
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([...everything, ...everything], { minLength: 2 * everything.length }),
        async (shuffled) => {
          const other = await takeIn(shuffled)
          expect(await timelineOf(other, limits.issue)).toEqual(expected)
          const { rows } = await database.work.query<{ same: boolean }>(
            `with links as (select tenant, from_entity, to_entity, relation, rule, rule_version, strength,
               confidence, evidence, occurred_at from event_correlations)
             select not exists (
               (select from_entity, to_entity, relation, rule, rule_version, strength, confidence, evidence,
                  occurred_at, count(*) from links where tenant = $1 group by 1, 2, 3, 4, 5, 6, 7, 8, 9)
               except
               (select from_entity, to_entity, relation, rule, rule_version, strength, confidence, evidence,
                  occurred_at, count(*) from links where tenant = $2 group by 1, 2, 3, 4, 5, 6, 7, 8, 9)
             ) as same`,
            [tenant, other],
          )
          expect(rows).toEqual([{ same: true }])
        },
      ),
      { numRuns: 8 },
    )
  })
})
