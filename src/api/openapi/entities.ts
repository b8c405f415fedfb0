import { z } from "zod"
import type { RouteDescription } from "../../core/route-description.ts"
import type { LiveIn, PendingIn, PullRequestStatus, Status } from "../../live/status.ts"
import type { EntityView, FieldView } from "../../store/entity-view.ts"
import { page, timelinePage, view, type ShownLink } from "../entities.ts"
import { query as nameQuery } from "../names.ts"
import { query as statusQuery } from "../status.ts"
import { eventWithoutPayload, evidence } from "./event.ts"
import { pageOf, textOrNull, time, timeOrNull, type AsJson } from "./shapes.ts"

const group = "Entities"

const linkShape = z.object({
  from: z.string(),
  to: z.string(),
  relation: z.string().describe("Read from → to: `implements`, `discusses`, `deploys`, …"),
  rule: z.string().describe("The rule that made it."),
  ruleVersion: z.int(),
  strength: z.enum(["strong", "weak"]).describe("Strong links join a timeline, weak ones are only shown."),
  confidence: z.number().min(0).max(1),
  evidence,
  eventId: z.uuid().describe("The event that shows it."),
  occurredAt: time,
}) satisfies z.ZodType<AsJson<ShownLink>>

/** A link as one event shows it. */
const link = linkShape.meta({
  id: "Link",
  description: "A typed, directed edge between two entities.",
})

const further = {
  truncated: z.boolean().exactOptional().describe("Whether more is linked than is followed."),
}

const firstHeardAt = time
  .exactOptional()
  .describe("When it was first heard of, where that was only later than `asOf`.")

const timeline = z
  .object({
    entity: z.string(),
    events: z.array(
      eventWithoutPayload.extend({
        payload: z.unknown().optional().describe("As in an event; left out with `payload=false`."),
        via: z.array(link).describe("The links that tie the event to the entity asked for."),
      }),
    ),
    links: z.array(link).describe("Every strong link among what this page is about."),
    nextCursor: textOrNull,
    ...further,
    firstHeardAt,
  })
  .meta({
    id: "Timeline",
    description: "Every event on every entity that strong links reach from one entity.",
  })

const entity = z
  .object({
    key: z.string(),
    kind: textOrNull.describe("`github:pull_request`, `linear:issue`, …"),
    aliases: z.array(z.string()).describe("Other keys of the same thing."),
    fields: z.record(
      z.string(),
      z.object({
        value: z.union([z.string(), z.number(), z.boolean()]).nullable(),
        at: time,
        eventId: z.string(),
      }) satisfies z.ZodType<AsJson<FieldView>>,
    ),
    firstSeenAt: timeOrNull,
    lastSeenAt: timeOrNull,
    deleted: z.boolean(),
    deletedAt: time.exactOptional(),
    firstHeardAt,
  })
  .meta({
    id: "Entity",
    description: "A thing that events are about, as its latest states tell of it.",
  }) satisfies z.ZodType<AsJson<Omit<EntityView, "deletedAt">>>

const liveIn = z
  .object({
    environment: z.string(),
    service: textOrNull,
    kind: z.string().describe("`production`, `staging`, `preview`, …"),
    since: time,
    deployment: z.string().describe("Key of the deployment that brought it."),
    sha: textOrNull,
    version: z.string().exactOptional(),
    url: z.string().exactOptional(),
  })
  .meta({ id: "LiveIn" }) satisfies z.ZodType<AsJson<LiveIn>>

const pendingIn = z.object({
  environment: z.string(),
  service: textOrNull,
  kind: z.string(),
  reason: z.string(),
}) satisfies z.ZodType<AsJson<PendingIn>>

const pullRequest = z.object({
  entity: z.string(),
  title: textOrNull,
  state: textOrNull,
  merged: z.boolean(),
  mergedAt: timeOrNull,
  mergeCommit: textOrNull,
  revertedBy: textOrNull,
  live: z.array(liveIn),
}) satisfies z.ZodType<AsJson<PullRequestStatus>>

const status = z
  .object({
    entity: z.string(),
    title: textOrNull,
    state: textOrNull.describe("In the words of its platform, in lower case."),
    live: z.array(liveIn),
    pending: z.array(pendingIn),
    pullRequests: z.array(pullRequest),
    truncated: z.literal(true).exactOptional(),
    onlyMentionedBy: z.array(z.string()).exactOptional(),
    firstHeardAt,
    summary: z.string().describe("One line for people."),
  })
  .meta({ id: "Status", description: "How a thing stands, and where it is live." }) satisfies z.ZodType<
  AsJson<Status>
>

/** `/api/v1/entities`. */
export const entityRouteDescriptions: RouteDescription[] = [
  {
    method: "get",
    path: "/api/v1/entities",
    group,
    summary: "The key of what people call a thing",
    details: "Finds the key for `ENG-123`, `acme/api#42`, the first digits of a commit or a web address.",
    scope: "events:read",
    query: nameQuery,
    words: { name: "What people call it; in an address `#` is `%23`." },
    answers: { 200: { words: "Its canonical key.", schema: z.object({ key: z.string() }) } },
    problems: [404],
  },
  {
    method: "get",
    path: "/api/v1/entities/{key}",
    group,
    summary: "How an entity stands",
    details: "Its fields as its latest states tell of them, each with the event that does.",
    scope: "events:read",
    query: view,
    answers: { 200: { words: "The entity.", schema: entity } },
    problems: [404],
  },
  {
    method: "get",
    path: "/api/v1/entities/{key}/timeline",
    group,
    summary: "Everything that belongs to an entity, in the order in which it happened",
    scope: "events:read",
    query: timelinePage,
    words: { payload: "Whether events have their payload." },
    answers: { 200: { words: "A page of the timeline.", schema: timeline } },
    problems: [404],
  },
  {
    method: "get",
    path: "/api/v1/entities/{key}/links",
    group,
    summary: "What an entity is linked to, strong and weak",
    scope: "events:read",
    query: page,
    answers: {
      200: {
        words: "A page of links.",
        schema: pageOf("links", linkShape.extend({ direction: z.enum(["out", "in"]) })).extend({
          entity: z.string(),
          ...further,
          firstHeardAt,
        }),
      },
    },
    problems: [404],
  },
  {
    method: "get",
    path: "/api/v1/entities/{key}/status",
    group,
    summary: "How an issue, a pull request, a commit or a deployment stands, and where it is live",
    scope: "events:read",
    query: statusQuery,
    answers: { 200: { words: "Its status.", schema: status } },
    problems: [404],
  },
]
