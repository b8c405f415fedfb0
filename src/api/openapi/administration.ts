import { z } from "zod"
import type { RouteDescription } from "../../core/route-description.ts"
import { query as deliveryQuery } from "../delivery-metrics.ts"
import { change, newKey, page, type ShownKey } from "../keys.ts"
import { query as metricsQuery } from "../metrics.ts"
import type { GroupLagSum } from "../../store/group-lag.ts"
import type { WebhookStanding } from "../../store/webhook-standing.ts"
import type { DeliveryMetrics } from "../../store/delivery-metrics.ts"
import { count, numberOrNull, pageOf, textOrNull, time, timeOrNull, type AsJson } from "./shapes.ts"

const keyShape = z.object({
  id: z.uuid(),
  tenant: z.string(),
  name: z.string(),
  prefix: z.string().describe("How the key begins."),
  scopes: z.array(z.string()),
  requestsPerSecond: numberOrNull,
  eventsPerSecond: numberOrNull,
  createdAt: time,
  expiresAt: timeOrNull,
  revokedAt: timeOrNull,
  lastUsedAt: timeOrNull,
}) satisfies z.ZodType<AsJson<ShownKey>>

const key = keyShape.meta({ id: "Key", description: "An API key, without the key itself." })

const keyWords = {
  id: "Id of the key.",
  name: "What it is for.",
  scopes: "What it may do.",
  tenant: "Whose it is: your own, unless you have SIGNALBOX_ADMIN_KEY.",
  expiresAt: "When it ends (RFC 3339); never without it.",
  requestsPerSecond: "How many requests a second it may make of each process; null for no bound.",
  eventsPerSecond: "How many events a second it may be given by each process; null for no bound.",
}

const ofKey = { group: "Keys", scope: "admin", words: keyWords } as const

const keyRoutes: RouteDescription[] = [
  {
    ...ofKey,
    method: "get",
    path: "/api/v1/keys",
    summary: "List API keys, the newest first",
    query: page,
    answers: { 200: { words: "A page of keys.", schema: pageOf("keys", key) } },
  },
  {
    ...ofKey,
    method: "post",
    path: "/api/v1/keys",
    summary: "Make an API key",
    body: { schema: newKey },
    answers: {
      201: {
        words: "The key.",
        schema: keyShape.extend({
          key: z.string().describe("The key itself. It is shown here and nowhere again."),
        }),
      },
    },
  },
  {
    ...ofKey,
    method: "patch",
    path: "/api/v1/keys/{id}",
    summary: "Change the limits of a key",
    body: { schema: change },
    answers: { 200: { words: "The key as it is now.", schema: key } },
    problems: [404],
  },
  {
    ...ofKey,
    method: "delete",
    path: "/api/v1/keys/{id}",
    summary: "Revoke a key",
    details:
      "It takes five seconds at most until no process believes it any more; its open streams are ended.",
    answers: { 204: { words: "It is revoked." } },
    problems: [404],
  },
]

const metrics = pageOf(
  "metrics",
  z.object({
    platform: z.string(),
    type: z.string(),
    processed: count,
    failed: count,
    meanMs: z.number().describe("From received to processed."),
    maxMs: z.number(),
  }),
).extend({
  minutes: count,
  sources: z.array(
    z.object({
      platform: z.string(),
      source: z.string(),
      completeThroughLagSeconds: numberOrNull,
      open: count,
      repaired: count,
      lost: count,
    }),
  ),
  groups: z.array(
    z.object({
      group: z.string(),
      partitions: count,
      members: count,
      lag: count,
      lagSeconds: z.number(),
    }) satisfies z.ZodType<GroupLagSum>,
  ),
  subscriptions: z.array(
    z.object({
      subscription: z.string(),
      status: z.string(),
      lag: count,
      lagSeconds: z.number(),
      retrying: count,
      held: count,
      dead: count,
      failures: count,
      failingSince: timeOrNull,
      restsUntil: timeOrNull,
    }) satisfies z.ZodType<AsJson<WebhookStanding>>,
  ),
})

const delivery = z
  .object({
    environment: z.string(),
    service: z.string().exactOptional(),
    since: time,
    until: time,
    releases: count,
    succeeded: count,
    deploymentsPerDay: z.number(),
    failures: count,
    changeFailureRate: numberOrNull,
    restored: count,
    timeToRestoreSeconds: numberOrNull,
    pullRequests: count,
    leadTimeSeconds: numberOrNull,
    codingSeconds: numberOrNull,
    pickupSeconds: numberOrNull,
    reviewSeconds: numberOrNull,
    deploySeconds: numberOrNull,
  })
  .meta({
    id: "DeliveryMetrics",
    description: "DORA's figures; spans are medians.",
  }) satisfies z.ZodType<DeliveryMetrics>

const metricRoutes: RouteDescription[] = [
  {
    method: "get",
    path: "/api/v1/metrics",
    group: "Metrics",
    summary: "Counts and latencies by type, and how sources, groups and subscriptions do",
    scope: "events:read",
    query: metricsQuery,
    words: { minutes: "Of how many minutes." },
    answers: { 200: { words: "The figures.", schema: metrics } },
  },
  {
    method: "get",
    path: "/api/v1/metrics/delivery",
    group: "Metrics",
    summary: "DORA's figures: how often, how fast and how well is delivered",
    scope: "events:read",
    query: deliveryQuery,
    words: {
      environment: "Name or kind of the environment.",
      service: "One service; all of them without it.",
      since: "From then on; the last 30 days without it.",
      until: "Before then; until now without it.",
    },
    answers: { 200: { words: "The figures.", schema: delivery } },
  },
  {
    method: "get",
    path: "/api/v1/metrics/nats",
    group: "Metrics",
    summary: "How publishing to NATS JetStream does, as this process sees it",
    details: "404 where NATS is not used.",
    scope: "events:read",
    answers: {
      200: {
        words: "The figures.",
        schema: z.object({
          stream: z.string(),
          connected: z.boolean(),
          version: textOrNull,
          publishing: z.boolean(),
          streaming: z.boolean(),
          publishedPosition: count.nullable(),
          publishedAt: timeOrNull,
          headPosition: count,
          lagEvents: count,
          lagSeconds: numberOrNull,
        }),
      },
    },
    problems: [404],
  },
  {
    method: "get",
    path: "/metrics",
    group: "Metrics",
    summary: "Figures of the process and of the hub, for Prometheus",
    details: "They tell of all tenants; the operator alone gives the scope for them.",
    scope: "metrics:read",
    answers: { 200: { words: "Prometheus' text format.", mediaType: "text/plain", schema: z.string() } },
  },
]

/** `/api/v1/keys`, `/api/v1/metrics` and `/metrics`. */
export const administrationRouteDescriptions: RouteDescription[] = [...keyRoutes, ...metricRoutes]
