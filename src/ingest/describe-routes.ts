import { z } from "zod"
import type { RouteDescription } from "../core/route-description.ts"

const receipt = z.object({
  eventId: z.uuid(),
  duplicate: z.boolean().describe("Whether this delivery was there before."),
  conflict: z
    .literal(true)
    .exactOptional()
    .describe("It was there with another body; this one is kept in `event_conflicts`."),
})
/** A sender that puts several events into one request has them all told. */
const accepted = z.union([receipt, z.object({ events: z.array(receipt) })])

const details = `Takes what a platform sends, verified by its own signature over the bytes as they came (\`X-Hub-Signature-256\`, \`Linear-Signature\`, \`X-Slack-Signature\`, Standard Webhooks, or what the kind of sender has). It is answered once it is committed; what it is about is worked out after that. The same delivery again is told as a duplicate.

The status is the one that the platform insists on (200 to Linear, 202 to others). Where a platform asks a question of the address, as Slack's \`url_verification\` does, the answer is its own.`

const route = {
  method: "post",
  group: "Webhooks",
  details,
  scope: null,
  body: { mediaType: "*/*" },
  answers: {
    200: {
      words: "It is committed, at a platform that wants a 200; or the answer to a question of the platform.",
      schema: z.looseObject({}),
    },
    202: { words: "It is committed.", schema: accepted },
  },
  problems: [400, 401, 404, 413, 415, 429, 503],
} as const satisfies Partial<RouteDescription>

/** What `createWebhookRoutes` serves. */
export const webhookRouteDescriptions: RouteDescription[] = [
  { ...route, path: "/webhooks/{platform}", summary: "Receive a webhook of a platform's default source" },
  {
    ...route,
    path: "/webhooks/{platform}/{source}",
    summary: "Receive a webhook of a source",
    words: { source: "Name of the source." },
  },
]
