import { definePlatform } from "../../core/platform.ts"
import { verifyWebhook, webhookSecretProblem } from "../../core/standard-webhooks.ts"
import { identify } from "./identify.ts"
import { normalize } from "./normalize.ts"

/**
 * Deployments of any tool in one generic form: as a webhook signed by Standard Webhooks, or through the
 * API under a key of its own, which is why nothing here but `verify` looks at a header.
 */
export const deployment = definePlatform({
  name: "deployment",
  secretVariable: "DEPLOYMENT_WEBHOOK_SECRET",
  checkSecret: webhookSecretProblem,
  acceptedStatus: 202,
  contentTypes: [],
  keptHeaders: ["webhook-id", "user-agent"],
  detail: {
    table: "deployment_events",
    columns: [
      "deployment_id",
      "provider",
      "project",
      "repository",
      "sha",
      "ref",
      "environment",
      "environment_kind",
      "status",
      "attempt",
      "previous_sha",
      "deployment_url",
      "log_url",
    ],
  },
  verify: verifyWebhook,
  identify,
  normalize,
})
