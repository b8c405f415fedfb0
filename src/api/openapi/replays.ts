import { z } from "zod"
import {
  replayedDeliveries,
  replayStatuses,
  type ReplayConsumer,
  type ReplayEstimate,
} from "../../core/replay.ts"
import type { RouteDescription } from "../../core/route-description.ts"
import { bulkRetry, query as deadLetterQuery, type ShownDeadLetter } from "../dead-letters.ts"
import { newReplay, page, type ShownReplay } from "../replays.ts"
import {
  anyObject,
  count,
  numberOrNull,
  pageOf,
  textOrNull,
  time,
  timeOrNull,
  type AsJson,
} from "./shapes.ts"

const consumer = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(["handler", "callback", "webhook", "group"]),
  status: z.enum(["active", "paused", "skipping", "disabled"]),
}) satisfies z.ZodType<ReplayConsumer>

const gap = z
  .object({ from: count, to: count })
  .nullable()
  .describe("Positions that were asked for and that retention has dropped.")

const replay = z
  .object({
    id: z.uuid(),
    tenant: z.string(),
    consumer,
    filter: anyObject,
    since: timeOrNull,
    until: timeOrNull,
    correlationId: textOrNull,
    deliveries: z.array(z.enum(replayedDeliveries)).nullable(),
    entities: count.nullable().describe("Of how many entities the timeline is."),
    after: count,
    upTo: count,
    ratePerSecond: numberOrNull,
    maxOutstanding: count,
    status: z.enum(replayStatuses),
    position: count.describe("Up to here the log was looked through."),
    estimate: numberOrNull,
    estimateExact: z.boolean(),
    matched: count,
    underWay: count,
    delivered: count,
    failed: count,
    skipped: count,
    withdrawn: count,
    outstanding: count,
    gap,
    createdAt: time,
    finishedAt: timeOrNull,
  })
  .meta({ id: "Replay", description: "Events of the past, handed once more to one consumer." })
replay satisfies z.ZodType<Omit<AsJson<ShownReplay>, "filter">>

const estimate = z
  .object({
    consumer,
    after: count,
    upTo: count,
    events: numberOrNull,
    exact: z.boolean(),
    gap,
  })
  .meta({ id: "ReplayEstimate", description: "What a replay would be." }) satisfies z.ZodType<ReplayEstimate>

const one = {
  group: "Replays",
  scope: "admin",
  words: { id: "Id of the replay." },
  answers: { 200: { words: "The replay as it stands.", schema: replay } },
} as const

const replayRoutes: RouteDescription[] = [
  {
    method: "get",
    path: "/api/v1/replays",
    group: "Replays",
    summary: "List replays, the newest first",
    scope: "admin",
    query: page,
    words: { status: "Only those that are so." },
    answers: { 200: { words: "A page of replays.", schema: pageOf("replays", replay) } },
  },
  {
    method: "post",
    path: "/api/v1/replays",
    group: "Replays",
    summary: "Hand events of the past once more to one consumer",
    scope: "admin",
    body: { schema: newReplay },
    words: {
      to: "Id or name of a webhook subscription, a handler, a subscriber or a consumer group.",
      filter: "Which events are meant, besides what the consumer itself wants.",
      since: "Events received from then on.",
      until: "Events received before then.",
      after: "Events behind this position.",
      upTo: "Events up to this position.",
      entity: "Events of the timeline of this entity.",
      correlationId: "Events with this correlation id.",
      deliveries: "Only events of which this became there before.",
      ratePerSecond: "How many events a second at most.",
      maxOutstanding: "So many are handed on and not settled, at most.",
      dryRun: "Counts, and makes nothing.",
    },
    answers: {
      200: { words: "What it would be (`dryRun`).", schema: estimate },
      201: { words: "The replay.", schema: replay },
    },
    problems: [404, 409],
  },
  { ...one, method: "get", path: "/api/v1/replays/{id}", summary: "One replay", problems: [404] },
  {
    ...one,
    method: "post",
    path: "/api/v1/replays/{id}/pause",
    summary: "Pause a replay",
    problems: [404, 409],
  },
  {
    ...one,
    method: "post",
    path: "/api/v1/replays/{id}/resume",
    summary: "Resume a replay",
    problems: [404, 409],
  },
  {
    ...one,
    method: "delete",
    path: "/api/v1/replays/{id}",
    summary: "Cancel a replay",
    details: "What was handed on already comes to its end.",
    problems: [404, 409],
  },
]

const deadLetter = z
  .object({
    id: z.uuid(),
    tenant: z.string(),
    kind: z.enum(["processing", "handler", "callback", "webhook", "group", "outbox"]),
    eventId: z.string(),
    subscriptionId: textOrNull.describe("Id of the consumer that failed."),
    consumer: textOrNull.describe("Its name."),
    attempts: count,
    errorCode: z.string(),
    error: z.string(),
    status: z.enum(["open", "retried", "discarded"]),
    createdAt: time,
    settledAt: timeOrNull,
  })
  .meta({ id: "DeadLetter", description: "Work that used up its attempts, kept whole." }) satisfies z.ZodType<
  AsJson<ShownDeadLetter>
>

const letterWords = {
  id: "Id of the dead letter.",
  kind: "Only those of this kind of work.",
  status: "Only those that are so; the open ones without it.",
  consumer: "Id or name of the consumer that failed.",
  since: "Only those that became dead letters from then on.",
  until: "Only those that became dead letters before then.",
}

const ofLetter = { group: "Dead letters", scope: "admin", words: letterWords } as const

const deadLetterRoutes: RouteDescription[] = [
  {
    ...ofLetter,
    method: "get",
    path: "/api/v1/dead-letters",
    summary: "List dead letters, the newest first",
    query: deadLetterQuery,
    answers: { 200: { words: "A page of dead letters.", schema: pageOf("deadLetters", deadLetter) } },
    problems: [404],
  },
  {
    ...ofLetter,
    method: "post",
    path: "/api/v1/dead-letters/retry",
    summary: "Try all open dead letters of a consumer again",
    body: { schema: bulkRetry },
    answers: { 202: { words: "How many will be tried.", schema: z.object({ retried: count }) } },
    problems: [404],
  },
  {
    ...ofLetter,
    method: "get",
    path: "/api/v1/dead-letters/{id}",
    summary: "One dead letter",
    answers: { 200: { words: "The dead letter.", schema: deadLetter } },
    problems: [404],
  },
  {
    ...ofLetter,
    method: "post",
    path: "/api/v1/dead-letters/{id}/retry",
    summary: "Try a dead letter again",
    answers: {
      202: { words: "It will be.", schema: z.object({ id: z.uuid(), status: z.literal("retried") }) },
    },
    problems: [404, 409],
  },
  {
    ...ofLetter,
    method: "post",
    path: "/api/v1/dead-letters/{id}/discard",
    summary: "Let a dead letter be",
    answers: {
      200: { words: "It is settled.", schema: z.object({ id: z.uuid(), status: z.literal("discarded") }) },
    },
    problems: [404, 409],
  },
]

/** `/api/v1/replays` and `/api/v1/dead-letters`. */
export const replayRouteDescriptions: RouteDescription[] = [...replayRoutes, ...deadLetterRoutes]
