import { definePlatform } from "../../core/platform.ts"
import { detailTable } from "./detail.ts"
import { keptHeaders } from "./headers.ts"
import { identify } from "./identify.ts"
import { mentionsIn } from "./mentions.ts"
import { normalize } from "./normalize.ts"
import { testDelivery } from "./test-delivery.ts"
import { entityFromUrl } from "./urls.ts"
import { verify } from "./verify.ts"

/** GitHub: webhooks of repositories, organizations and apps, from github.com or an Enterprise Server. */
export const github = definePlatform({
  name: "github",
  secretVariable: "GITHUB_WEBHOOK_SECRET",
  acceptedStatus: 202,
  answerWithinMs: 10_000,
  contentTypes: ["application/x-www-form-urlencoded"],
  keptHeaders,
  detail: detailTable,
  verify,
  identify,
  normalize,
  testDelivery,
  calls: {
    credentialVariable: "GITHUB_TOKEN",
    apiUrlVariable: "GITHUB_API_URL",
    load: async () => (await import("./remote/index.ts")).remote,
  },
  entityFromUrl,
  mentionsIn,
})
