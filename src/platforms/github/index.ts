import { definePlatform } from "../../core/platform.ts"
import { detailTable } from "./detail.ts"
import { identify } from "./identify.ts"
import { mentionsIn } from "./mentions.ts"
import { normalize } from "./normalize.ts"
import { entityFromUrl } from "./urls.ts"
import { verify } from "./verify.ts"

/** GitHub: webhooks of repositories, organizations and apps, from github.com or an Enterprise Server. */
export const github = definePlatform({
  name: "github",
  secretVariable: "GITHUB_WEBHOOK_SECRET",
  acceptedStatus: 202,
  contentTypes: ["application/x-www-form-urlencoded"],
  keptHeaders: [
    "user-agent",
    "x-github-delivery",
    "x-github-enterprise-host",
    "x-github-enterprise-version",
    "x-github-event",
    "x-github-hook-id",
    "x-github-hook-installation-target-id",
    "x-github-hook-installation-target-type",
  ],
  detail: detailTable,
  verify,
  identify,
  normalize,
  entityFromUrl,
  mentionsIn,
})
