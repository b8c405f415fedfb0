import type { SchemaConverter } from "./convert.ts"
import type { ApiDocument, Parameter } from "./document.ts"
import { event } from "./event.ts"

const headers = [
  ["webhook-id", "Names the event to this subscription; the same at every attempt."],
  ["webhook-timestamp", "When it was sent, in seconds since 1970."],
  ["webhook-signature", "`v1,` and the signature, for each secret in force, with blanks between them."],
] as const

/** What the hub itself sends to webhook subscriptions, as OpenAPI's `webhooks`. */
export function sentByTheHub(schemas: SchemaConverter): ApiDocument["webhooks"] {
  return {
    event: {
      post: {
        operationId: "receiveEvent",
        tags: ["Subscriptions"],
        summary: "An event is sent to a subscription's URL",
        description:
          "Signed by Standard Webhooks. This is the format `standard` with the payload `all`; a subscription may want less of it, or CloudEvents. Any 2xx takes it; anything else is tried again, and 410 ends the subscription. An event may come more than once: `webhook-id` tells.",
        security: [],
        parameters: headers.map(([name, description]): Parameter => {
          return { name, in: "header", description, required: true, schema: { type: "string" } }
        }),
        requestBody: { required: true, content: { "application/json": { schema: schemas.convert(event) } } },
        responses: { "2XX": { description: "It was taken." } },
      },
    },
  }
}
