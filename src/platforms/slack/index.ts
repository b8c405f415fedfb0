import { definePlatform } from "../../core/platform.ts"
import { acknowledge } from "./acknowledge.ts"
import { formType } from "./delivery.ts"
import { handshake } from "./handshake.ts"
import { identify } from "./identify.ts"
import { normalize } from "./normalize.ts"
import { testDelivery } from "./test-delivery.ts"
import { entityFromUrl } from "./urls.ts"
import { verify } from "./verify.ts"

/** Slack's Events API, slash commands and interactivity. */
export const slack = definePlatform({
  name: "slack",
  secretVariable: "SLACK_SIGNING_SECRET",
  secretOrigin: () => "Slack makes it: Signing Secret, under App Credentials in the app's Basic Information",
  acceptedStatus: 202,
  answerWithinMs: 3_000,
  contentTypes: [formType],
  keptHeaders: ["x-slack-retry-num", "x-slack-retry-reason", "user-agent"],
  detail: {
    table: "slack_events",
    columns: ["kind", "event_type", "subtype", "team_id", "channel_id", "user_id", "ts", "thread_ts", "text"],
  },
  verify,
  handshake,
  identify,
  acknowledge,
  normalize,
  testDelivery,
  calls: {
    credentialVariable: "SLACK_BOT_TOKEN",
    apiUrlVariable: "SLACK_API_URL",
    load: async () => (await import("./remote/index.ts")).remote,
  },
  entityFromUrl,
})
