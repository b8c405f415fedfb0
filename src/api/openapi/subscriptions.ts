import { z } from "zod"
import type { RouteDescription } from "../../core/route-description.ts"
import type { TestResult } from "../../core/subscription.ts"
import { deliveryStatuses, type AttemptRow } from "../../store/webhook-deliveries.ts"
import { page as deliveryPage, retry, type ShownDelivery } from "../subscription-deliveries.ts"
import { change, newSubscription, page, pause, rotation, type ShownSubscription } from "../subscriptions.ts"
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

const group = "Subscriptions"

const subscription = z
  .object({
    id: z.uuid(),
    tenant: z.string(),
    name: z.string(),
    url: z.string(),
    stream: z.string(),
    filter: anyObject,
    format: z.enum(["standard", "cloudevents"]),
    payload: z.union([z.enum(["all", "head"]), z.object({ pick: z.array(z.string()) })]),
    ordered: z.boolean(),
    concurrency: count,
    ratePerSecond: numberOrNull,
    timeoutMs: count,
    retry: z.object({ schedule: z.array(count) }),
    partitions: count,
    status: z.enum(["active", "paused", "disabled"]),
    skips: z.boolean().describe("Whether what comes while it is paused is recorded as skipped."),
    disabled: z.object({ reason: z.string(), at: timeOrNull }).nullable(),
    health: z.object({
      failingSince: timeOrNull,
      failures: count,
      lastSuccessAt: timeOrNull,
      lastFailureAt: timeOrNull,
      lastError: textOrNull,
    }),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: "Subscription", description: "A webhook that events are sent to." }) satisfies z.ZodType<
  AsJson<ShownSubscription>
>

const secret = z
  .string()
  .describe("Signs the requests (Standard Webhooks). It is shown here and nowhere again.")

const deliveryShape = z.object({
  eventId: z.uuid(),
  type: textOrNull,
  position: count,
  status: z.enum(deliveryStatuses),
  attempts: count,
  replayId: textOrNull,
  nextAttemptAt: timeOrNull,
  lastError: textOrNull,
  firstAttemptAt: timeOrNull,
  finishedAt: timeOrNull,
  waitsFor: z.literal("subscription").nullable().describe("What has to be resumed before it is tried again."),
}) satisfies z.ZodType<AsJson<ShownDelivery>>

const delivery = deliveryShape.meta({
  id: "Delivery",
  description: "What became of one event at a subscription.",
})

const attempt = z.object({
  attempt: count,
  sentAt: time,
  statusCode: numberOrNull,
  durationMs: z.number(),
  response: textOrNull.describe("The beginning of what was answered."),
  error: textOrNull,
  secretIds: z.array(z.string()),
  replayId: textOrNull,
}) satisfies z.ZodType<AsJson<AttemptRow>>

const testResult = z.object({
  delivered: z.boolean(),
  eventId: z.string(),
  statusCode: numberOrNull,
  durationMs: z.number(),
  response: textOrNull,
  error: textOrNull,
}) satisfies z.ZodType<TestResult>

const words = {
  id: "Id or name of the subscription.",
  name: "Name of the subscription.",
  url: "Where events are posted to.",
  stream: "Name of the stream; `all_events` without it.",
  filter: "Which events of the stream are sent.",
  format: "`standard` is the event as the API shows it; `cloudevents` wraps it as CloudEvents 1.0.",
  ordered: "Whether an event that fails holds up the later ones of its entity.",
  concurrency: "How many requests at once.",
  ratePerSecond: "How many requests a second at most; null for no bound.",
  timeoutMs: "For how long an answer is awaited.",
  retry: "Seconds before the second attempt, the third, and so on.",
  payload: "What of an event is sent: `all`, all but the payload (`head`), or the members picked.",
  partitions: "Into how many it is dealt, by entity: so many processes may share it.",
  from: "Where it begins: `head`, `earliest` or a position.",
}

const one = { group, scope: "admin", words, problems: [404] } as const
const path = "/api/v1/subscriptions/{id}"

const managing: RouteDescription[] = [
  {
    method: "get",
    path: "/api/v1/subscriptions",
    group,
    summary: "List webhook subscriptions",
    scope: "admin",
    query: page,
    answers: { 200: { words: "A page of subscriptions.", schema: pageOf("subscriptions", subscription) } },
  },
  {
    method: "post",
    path: "/api/v1/subscriptions",
    group,
    summary: "Have events sent to a URL",
    scope: "admin",
    body: { schema: newSubscription },
    words,
    answers: { 201: { words: "The subscription, and its secret.", schema: subscription.extend({ secret }) } },
    problems: [409],
  },
  {
    ...one,
    method: "get",
    path,
    summary: "One subscription",
    answers: { 200: { words: "The subscription.", schema: subscription } },
  },
  {
    ...one,
    method: "patch",
    path,
    summary: "Change a subscription",
    details: "What is left out stays as it is.",
    body: { schema: change },
    answers: { 200: { words: "The subscription as it is now.", schema: subscription } },
  },
  {
    ...one,
    method: "delete",
    path,
    summary: "Remove a subscription",
    answers: { 204: { words: "It is gone." } },
  },
  {
    ...one,
    method: "post",
    path: `${path}/pause`,
    summary: "Pause a subscription",
    body: { schema: pause, optional: true },
    words: { ...words, skip: "Whether what comes meanwhile is recorded as skipped; else it waits." },
    answers: { 200: { words: "The subscription as it is now.", schema: subscription } },
  },
  {
    ...one,
    method: "post",
    path: `${path}/resume`,
    summary: "Resume a subscription that is paused, or that the hub has disabled",
    answers: { 200: { words: "The subscription as it is now.", schema: subscription } },
  },
  {
    ...one,
    method: "post",
    path: `${path}/rotate-secret`,
    summary: "Give a subscription another secret",
    body: { schema: rotation, optional: true },
    words: { ...words, overlapHours: "For so long the secrets before it sign too." },
    answers: {
      200: { words: "The subscription, and its new secret.", schema: subscription.extend({ secret }) },
    },
  },
  {
    ...one,
    method: "post",
    path: `${path}/test`,
    summary: "Send a made-up event at once",
    answers: { 200: { words: "What became of it.", schema: testResult } },
  },
]

const deliveries: RouteDescription[] = [
  {
    ...one,
    method: "get",
    path: `${path}/deliveries`,
    summary: "What became of events at a subscription, the latest first",
    query: deliveryPage,
    words: { ...words, status: "Only those that are so." },
    answers: { 200: { words: "A page of deliveries.", schema: pageOf("deliveries", delivery) } },
  },
  {
    ...one,
    method: "get",
    path: `${path}/deliveries/{eventId}`,
    summary: "What became of one event, with every attempt",
    words: { ...words, eventId: "Id of the event." },
    answers: {
      200: {
        words: "The delivery and its attempts.",
        schema: deliveryShape.extend({ attemptsMade: z.array(attempt) }),
      },
    },
  },
  {
    ...one,
    method: "post",
    path: `${path}/retry`,
    summary: "Try deliveries again",
    details: "One event by `eventId`, or all of a `status`.",
    body: { schema: retry },
    words: {
      ...words,
      eventId: "The one that is meant.",
      status: "All that are so are meant.",
      since: "Of those, events received from then on.",
      until: "Of those, events received before then.",
    },
    answers: { 202: { words: "How many will be tried.", schema: z.object({ retried: count }) } },
    problems: [404, 409],
  },
]

/** `/api/v1/subscriptions`. */
export const subscriptionRouteDescriptions: RouteDescription[] = [...managing, ...deliveries]
