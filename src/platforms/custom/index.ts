import { definePlatform } from "../../core/platform.ts"
import { verifyWebhook, webhookSecretProblem } from "../../core/standard-webhooks.ts"
import { identify } from "./identify.ts"
import { normalize } from "./normalize.ts"

/** Events of the user's own: through the API, or, to a source with a secret, signed by Standard Webhooks. */
export const custom = definePlatform({
  name: "custom",
  secretVariable: null,
  checkSecret: webhookSecretProblem,
  acceptedStatus: 202,
  answerWithinMs: 10_000,
  contentTypes: [],
  keptHeaders: ["idempotency-key", "webhook-id", "user-agent"],
  unkeptClocks: true,
  detail: null,
  verify: verifyWebhook,
  identify,
  normalize,
})
