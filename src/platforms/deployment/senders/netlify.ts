import { createHmac, hash } from "node:crypto"
import { type Fields, fieldsOf } from "../../../core/fields.ts"
import { textOrNull } from "../../../core/text.ts"
import { deliveryId } from "../delivery-id.ts"
import { verifyBodyToken } from "../json-web-signature.ts"
import { deploymentFrom } from "../lenient.ts"
import { noticeTitle, personOf, timeOf, timeText } from "../notice.ts"
import { providerSecretProblem } from "../provider-secret.ts"
import type { Sender } from "../sender.ts"
import { type DeploymentStatus, statusOf } from "../status.ts"

/**
 * Netlify. Documented at docs.netlify.com, Deploy notifications, Payload signature: a JWS of issuer
 * `netlify` in `X-Webhook-Signature`, with the hash of the body as its claim `sha256`. The body is the
 * deploy as its API has it; `log_access_attributes.token` among it is a credential. `X-Netlify-Event` and
 * its values are as integrations of others read them; it is not signed, so that it can make a deploy less
 * than its body says, and nothing more.
 */
export const netlify: Sender = {
  name: "netlify",
  checkSecret: providerSecretProblem,
  verify: (request, secrets) =>
    verifyBodyToken(request.headers["x-webhook-signature"], "netlify", request, secrets),
  read({ payload: body, headers }) {
    const deploy = fieldsOf(body)
    const event = textOrNull(headers["x-netlify-event"], 64)
    const { id, state, updated_at: updatedAt, published_at: publishedAt, locked, name } = deploy
    const word = event ?? textOrNull(state, 64)
    return {
      word: word ?? "unknown",
      // Nothing names a notification: a deploy, its state and its times do.
      id:
        textOrNull(updatedAt) === null ? null : deliveryId(id, state, updatedAt, publishedAt, locked, event),
      deployment: readDeployment(event, deploy),
      notice: { title: noticeTitle(word, name), occurredAt: timeOf(updatedAt) },
    }
  },
  test(secret, at) {
    const deploy = { id: `signalbox-test-${at.getTime()}`, state: "test", updated_at: at.toISOString() }
    const body = Buffer.from(JSON.stringify(deploy))
    const claims = { iss: "netlify", sha256: hash("sha256", body) }
    const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`
    const signature = createHmac("sha256", secret).update(signed).digest("base64url")
    return {
      headers: { "content-type": "application/json", "x-webhook-signature": `${signed}.${signature}` },
      body,
    }
  },
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url")
}

/** States of a deploy that are Netlify's own words. */
const states: ReadonlyMap<string, DeploymentStatus> = new Map([
  ["new", "queued"],
  ["pending_review", "queued"],
  ["enqueued", "queued"],
  ["uploaded", "in_progress"],
  ["prepared", "in_progress"],
  ["processed", "in_progress"],
  ["retrying", "in_progress"],
])

/** Events that say nothing of the state of the deploy they name. */
const asides: ReadonlySet<string> = new Set(["deploy_locked", "deploy_unlocked"])

function readDeployment(event: string | null, deploy: Fields) {
  if (event !== null && asides.has(event)) return null
  const { id, state, skipped, context, branch, review_id: reviewId } = deploy
  const live = context === "production"
  return deploymentFrom({
    ...codeOf(deploy),
    id,
    provider: "netlify",
    status: event === "deploy_deleted" ? "inactive" : skipped === true ? "canceled" : stateOf(state),
    project: deploy["name"],
    ref: branch,
    environment: context,
    environmentKind: context === "branch-deploy" ? "preview" : null,
    url: (live ? deploy["ssl_url"] : null) ?? deploy["deploy_ssl_url"] ?? deploy["deploy_url"],
    logUrl: logUrlOf(deploy),
    actor: personOf(deploy["committer"] ?? deploy["user_id"], deploy["committer"]),
    prs: typeof reviewId === "number" || typeof reviewId === "string" ? [reviewId] : null,
    occurredAt: timeText(deploy["updated_at"]),
  })
}

function stateOf(state: unknown): DeploymentStatus | null {
  return typeof state === "string" ? (states.get(state) ?? statusOf(state)) : null
}

/** The commit, and the repository out of its address: `https://github.com/acme/web/commit/…`. */
function codeOf({ commit_ref: sha, commit_url: url }: Fields) {
  const address = typeof url === "string" ? URL.parse(url) : null
  const fullName = /^\/([^/]+(?:\/[^/]+)+?)(?:\/-)?\/commits?\/[^/]+$/.exec(address?.pathname ?? "")?.[1]
  return { sha, repo: address === null || fullName === undefined ? null : { host: address.host, fullName } }
}

function logUrlOf({ admin_url: adminUrl, id }: Fields): string | null {
  if (typeof adminUrl !== "string" || typeof id !== "string" || !/^\w{1,64}$/.test(id)) return null
  return `${adminUrl}/deploys/${id}`
}
