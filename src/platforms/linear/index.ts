import { definePlatform } from "../../core/platform.ts"
import { identify } from "./identify.ts"
import { mentionsIn } from "./mentions.ts"
import { normalize } from "./normalize.ts"
import { testDelivery } from "./test-delivery.ts"
import { entityFromUrl } from "./urls.ts"
import { verify } from "./verify.ts"

/** Linear's webhooks, of workspaces and of applications. */
export const linear = definePlatform({
  name: "linear",
  secretVariable: "LINEAR_WEBHOOK_SECRET",
  acceptedStatus: 200,
  answerWithinMs: 5_000, // anything else is retried, and in the end disables the hook
  contentTypes: [],
  keptHeaders: ["linear-delivery", "linear-event", "linear-timestamp", "user-agent"],
  detail: {
    table: "linear_events",
    columns: [
      "action",
      "model",
      "organization_id",
      "webhook_id",
      "model_id",
      "identifier",
      "team_key",
      "state",
      "updated_from",
    ],
  },
  verify,
  identify,
  normalize,
  testDelivery,
  calls: {
    credentialVariable: "LINEAR_API_KEY",
    apiUrlVariable: "LINEAR_API_URL",
    load: async () => (await import("./remote/index.ts")).remote,
  },
  entityFromUrl,
  mentionsIn,
})
