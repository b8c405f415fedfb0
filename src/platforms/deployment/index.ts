import { deploymentTable } from "../../core/deployment-detail.ts"
import { definePlatform } from "../../core/platform.ts"
import { identify } from "./identify.ts"
import { normalize } from "./normalize.ts"
import { senderOf, senders } from "./senders/index.ts"

/**
 * Deployments of any tool: in one generic form, as a webhook signed by Standard Webhooks or through the
 * API under a key of its own; and as the tools tell of them that a source may name for its sender.
 */
export const deployment = definePlatform({
  name: "deployment",
  secretVariable: "DEPLOYMENT_WEBHOOK_SECRET",
  checkSecret(value, sender) {
    const known = senderOf(sender)
    return known === undefined ? "is for a sender that this version does not know" : known.checkSecret(value)
  },
  secretOrigin: (sender) => senderOf(sender)?.secretOrigin ?? null,
  senders: senders.map(({ name }) => name),
  acceptedStatus: 202,
  answerWithinMs: 10_000,
  contentTypes: ["application/cloudevents+json", "application/cloudevents-batch+json"],
  keptHeaders: [
    "webhook-id",
    "user-agent",
    "x-netlify-event",
    "ce-id",
    "ce-source",
    "ce-subject",
    "ce-time",
    "ce-type",
  ],
  unkeptClocks: true,
  detail: deploymentTable,
  verify(request, secrets) {
    const sender = senderOf(request.sender)
    return (
      sender?.verify(request, secrets) ?? {
        ok: false,
        code: "signature_mismatch",
        reason: "this version knows no sender of the name that the source has",
      }
    )
  },
  split: (message, body) => senderOf(message.sender)?.split?.(message, body) ?? null,
  identify,
  normalize,
  testDelivery: ({ value }, at, sender) => senderOf(sender)?.test(value, at) ?? null,
})
