import { createHmac } from "node:crypto"
import { type Fields, fieldsOf } from "../../../core/fields.ts"
import { verifyHmac } from "../../../core/hmac.ts"
import { textOrNull } from "../../../core/text.ts"
import { deliveryId } from "../delivery-id.ts"
import { deploymentFrom } from "../lenient.ts"
import { noticeTitle, personOf, timeOf, timeText } from "../notice.ts"
import { providerSecretProblem } from "../provider-secret.ts"
import type { Sender } from "../sender.ts"
import type { DeploymentStatus } from "../status.ts"

/**
 * Vercel. Documented at vercel.com/docs/webhooks and …/webhooks/webhooks-api: the signature, a hex
 * HMAC-SHA1 of the body in `x-vercel-signature`; `type`, `id`, `createdAt`, `payload`; `payload.target`
 * null for a preview. `deployment.ready`, `.rollback` and `.cleanup` are from memory, as are the members
 * of `meta`, which depend on the host of the repository.
 */
export const vercel: Sender = {
  name: "vercel",
  checkSecret: providerSecretProblem,
  secretOrigin: "Vercel makes it, and shows it once: when the webhook is created under Settings, Webhooks",
  verify: ({ headers, body }, secrets) =>
    verifyHmac("sha1-hex", headers["x-vercel-signature"], body, secrets),
  read({ payload: body }) {
    const { type, id, createdAt, payload } = fieldsOf(body)
    const word = textOrNull(type, 200)
    const { deployment, project, user } = fieldsOf(payload)
    return {
      word: word ?? "unknown",
      id: deliveryId(id),
      deployment: readDeployment(statuses.get(word ?? "") ?? null, fieldsOf(payload), createdAt),
      notice: {
        title: noticeTitle(word, fieldsOf(deployment)["name"] ?? fieldsOf(project)["name"]),
        actor: actorOf(fieldsOf(user)),
        occurredAt: timeOf(createdAt),
      },
    }
  },
  test(secret, at) {
    const event = { id: `signalbox-test-${at.getTime()}`, type: "signalbox.test", createdAt: at.getTime() }
    const body = Buffer.from(JSON.stringify({ ...event, payload: {} }))
    const signature = createHmac("sha1", secret).update(body).digest("hex")
    return { headers: { "content-type": "application/json", "x-vercel-signature": signature }, body }
  },
}

const statuses: ReadonlyMap<string, DeploymentStatus> = new Map([
  ["deployment.created", "queued"],
  ["deployment.succeeded", "success"],
  ["deployment.ready", "success"],
  ["deployment.promoted", "success"],
  ["deployment.error", "failure"],
  ["deployment.canceled", "canceled"],
  ["deployment.rollback", "rolled_back"],
  ["deployment.cleanup", "inactive"],
])

function readDeployment(status: DeploymentStatus | null, payload: Fields, createdAt: unknown) {
  const { deployment, links, project, target } = payload
  const { id, name, url, meta, customEnvironmentId } = fieldsOf(deployment)
  return deploymentFrom({
    ...codeOf(fieldsOf(meta)),
    id,
    provider: "vercel",
    status,
    project: name ?? fieldsOf(project)["name"] ?? fieldsOf(project)["id"],
    environment: target ?? customEnvironmentId ?? "preview",
    url: typeof url === "string" && url !== "" && !url.includes("://") ? `https://${url}` : url,
    logUrl: fieldsOf(links)["deployment"],
    actor: actorOf(fieldsOf(payload["user"])),
    occurredAt: timeText(createdAt),
  })
}

const hosts = [
  { prefix: "github", host: "github.com" },
  { prefix: "gitlab", host: "gitlab.com" },
  { prefix: "bitbucket", host: "bitbucket.org" },
]

/** Commit, branch, repository and pull request by the host's own members: `githubCommitSha`, `gitlabCommitSha`. */
function codeOf(meta: Fields) {
  for (const { prefix, host } of hosts) {
    const sha = meta[`${prefix}CommitSha`]
    if (sha === undefined) continue
    const owner = meta[`${prefix}CommitOrg`] ?? meta[`${prefix}Org`] ?? meta[`${prefix}RepoOwner`]
    const name = meta[`${prefix}CommitRepo`] ?? meta[`${prefix}Repo`] ?? meta[`${prefix}RepoName`]
    const path = typeof owner === "string" && typeof name === "string" ? `${owner}/${name}` : null
    const fullName = path ?? meta[`${prefix}ProjectPath`]
    const pull = meta[`${prefix}PrId`]
    return {
      sha,
      ref: meta[`${prefix}CommitRef`],
      repo: typeof fullName === "string" ? { host, fullName } : null,
      prs: typeof pull === "string" || typeof pull === "number" ? [pull] : null,
    }
  }
  return {}
}

function actorOf({ id, username, name }: Fields) {
  return personOf(id, username ?? name)
}
