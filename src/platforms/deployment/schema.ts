import { z } from "zod"
import { actor, idLine, instant, line, webUrl } from "../../core/submission.ts"
import { statuses, statusOf } from "./status.ts"

const sha = z
  .string("must be text")
  .regex(/^[0-9a-f]{7,64}$/i, "must be a commit's SHA in hexadecimal, 7 to 64 digits")
  .transform((text) => text.toLowerCase())

const fullName = line(256).refine(
  (name) => /^[^\s/]+(?:\/[^\s/]+)+$/.test(name),
  'must be the repository\'s full name, "owner/name"',
)

const repo = z.looseObject({
  host: line(256).nullish(),
  id: idLine(128).nullish(),
  fullName,
})

const status = line(64).transform((word, context) => {
  const known = statusOf(word)
  if (known !== null) return known
  context.addIssue({ code: "custom", message: `must be one of ${statuses.join(", ")}` })
  return z.NEVER
})

const maxListed = 500

/** Pull requests or issues: each a number in the repository, `owner/name#42`, an identifier, or a URL. */
const listed = z
  .array(
    z.union([z.int().positive("must be 1 or more"), line(2048)], {
      error: "must be a number, owner/name#42, an identifier or a URL",
    }),
    "must be a list",
  )
  .max(maxListed, `must list ${maxListed} or fewer`)

/** A deployment as any tool may report it. Unknown keys pass, but for those that are misspelt (see identify.ts). */
export const deploymentSchema = z.looseObject(
  {
    /** Names the deployment within its provider; all its states share it. */
    id: idLine(200),
    provider: line(64),
    status,
    project: line(256).nullish(),
    repo: repo.nullish(),
    sha: sha.nullish(),
    /** Branch or tag. */
    ref: line(512).nullish(),
    environment: line(256).nullish(),
    /** `production`, `staging`, `preview`, …; read from `environment` where absent. */
    environmentKind: line(64).nullish(),
    url: webUrl.nullish(),
    logUrl: webUrl.nullish(),
    actor: actor.nullish(),
    /** The commit that was live there before. */
    previousSha: sha.nullish(),
    prs: listed.nullish(),
    issues: listed.nullish(),
    /** Time of arrival where absent. */
    occurredAt: instant.nullish(),
    /** Counts the times that one state is reached anew, from 1. */
    attempt: z.int("must be a whole number").positive("must be 1 or more").max(1_000_000).nullish(),
    correlationId: line(128).nullish(),
    causationId: line(128).nullish(),
  },
  { error: "the body must be a JSON object" },
)

/** What a sender of deployments posts. */
export type DeploymentPayload = z.input<typeof deploymentSchema>
/** The same, checked and with its words made ours. */
export type Deployment = z.output<typeof deploymentSchema>
