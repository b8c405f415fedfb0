import { createHmac } from "node:crypto"
import { type Fields, fieldsOf } from "../../../core/fields.ts"
import { verifyHmac } from "../../../core/hmac.ts"
import { textOrNull } from "../../../core/text.ts"
import { environmentKindOf } from "../environment-kind.ts"
import { deliveryId } from "../delivery-id.ts"
import { deploymentFrom } from "../lenient.ts"
import { noticeTitle, personOf, timeOf, timeText } from "../notice.ts"
import { providerSecretProblem } from "../provider-secret.ts"
import type { Sender } from "../sender.ts"
import type { DeploymentStatus } from "../status.ts"

/**
 * Heroku app webhooks. Documented at devcenter.heroku.com/articles/app-webhooks and …/webhook-events: a
 * base64 HMAC-SHA256 of the body in `Heroku-Webhook-Hmac-SHA256`; `resource`, `action`, `data`, `actor`,
 * and `webhook_metadata` with the ids of event, delivery and attempt.
 *
 * A release is made for each change of code, but also of configuration and add-ons: the first words of its
 * description tell which ("Deploy 1a2b3c4d", "Rollback to v12", "Set LOG_LEVEL config vars"). Only code is
 * deployed. A build ends with its release, so that one that succeeds is still under way.
 */
export const heroku: Sender = {
  name: "heroku",
  checkSecret: providerSecretProblem,
  verify: ({ headers, body }, secrets) =>
    verifyHmac("sha256-base64", headers["heroku-webhook-hmac-sha256"], body, secrets),
  read({ payload: body }) {
    const {
      resource,
      action,
      id,
      data,
      actor,
      published_at: publishedAt,
      updated_at: updatedAt,
    } = fieldsOf(body)
    const { event } = fieldsOf(fieldsOf(body)["webhook_metadata"])
    const facts = fieldsOf(data)
    const who = actorOf(fieldsOf(actor)) ?? actorOf(fieldsOf(facts["user"]))
    const occurredAt = facts["updated_at"] ?? publishedAt ?? updatedAt
    const told = { actor: who, occurredAt: timeText(occurredAt) }
    const word = [resource, action].flatMap((part) => textOrNull(part, 100) ?? []).join(":")
    return {
      word: word === "" ? "unknown" : word,
      // The event's: a delivery to another webhook, or another attempt, has ids of its own.
      id: deliveryId(fieldsOf(event)["id"] ?? id),
      deployment: action === "destroy" ? null : readDeployment(resource, facts, told),
      notice: {
        title: noticeTitle(word, appOf(facts) ?? facts["name"]),
        actor: who,
        occurredAt: timeOf(occurredAt),
      },
    }
  },
  test(secret, at) {
    const event = { id: `signalbox-test-${at.getTime()}`, resource: "signalbox", action: "test" }
    const body = Buffer.from(JSON.stringify({ ...event, published_at: at.toISOString(), data: {} }))
    const signature = createHmac("sha256", secret).update(body).digest("base64")
    return {
      headers: { "content-type": "application/json", "heroku-webhook-hmac-sha256": signature },
      body,
    }
  },
}

interface Told {
  actor: ReturnType<typeof personOf>
  occurredAt: string | null
}

function readDeployment(resource: unknown, facts: Fields, told: Told) {
  const app = appOf(facts)
  const kind = environmentKindOf(null, app)
  const where = {
    provider: "heroku",
    project: app,
    environment: app, // an app is an environment; its stage in a pipeline is not told
    environmentKind: kind === "unknown" ? null : kind,
    ...told,
  }
  if (resource === "release") {
    const { slug, id } = facts
    return deploymentFrom({ ...where, id, status: releaseStatus(facts), sha: fieldsOf(slug)["commit"] })
  }
  if (resource !== "build") return null
  const { id, source_blob: source } = facts
  const sha = fieldsOf(source)["version"]
  const buildId = textOrNull(id, 100)
  return deploymentFrom({
    ...where,
    id: buildId === null ? null : `build/${buildId}`,
    status: buildStatuses.get(textOrNull(facts["status"]) ?? "") ?? null,
    sha,
  })
}

const buildStatuses: ReadonlyMap<string, DeploymentStatus> = new Map([
  ["pending", "in_progress"],
  ["succeeded", "in_progress"],
  ["failed", "failure"],
])

const releaseStatuses: ReadonlyMap<string, DeploymentStatus> = new Map([
  ["pending", "in_progress"],
  ["succeeded", "success"],
  ["failed", "failure"],
  ["expired", "failure"],
])

function releaseStatus({ description, status }: Fields): DeploymentStatus | null {
  const words = textOrNull(description, 100) ?? ""
  if (!/^(?:deploy|promote|rollback)\b/i.test(words)) return null
  const known = releaseStatuses.get(textOrNull(status) ?? "") ?? null
  return known === "success" && /^rollback\b/i.test(words) ? "rolled_back" : known
}

function appOf({ app }: Fields): string | null {
  return textOrNull(fieldsOf(app)["name"], 256)
}

function actorOf({ id, email }: Fields) {
  return personOf(id, email)
}
