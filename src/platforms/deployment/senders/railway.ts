import { type Fields, fieldsOf } from "../../../core/fields.ts"
import { textOrNull } from "../../../core/text.ts"
import { deliveryId } from "../delivery-id.ts"
import { deploymentFrom } from "../lenient.ts"
import { noticeTitle, personOf, timeOf, timeText } from "../notice.ts"
import type { Sender } from "../sender.ts"
import { sharedSecretHeaders, sharedSecretProblem, verifySharedSecret } from "../shared-secret.ts"
import { type DeploymentStatus, statusOf } from "../status.ts"

/**
 * Railway. Documented at docs.railway.com/observability/webhooks: no signature, but headers of one's own
 * choice; `type` (`Deployment.failed`), `details`, `resource`, `timestamp`. Nothing names a delivery.
 */
export const railway: Sender = {
  name: "railway",
  checkSecret: sharedSecretProblem,
  verify: verifySharedSecret,
  read({ payload: body }) {
    const { type, timestamp, details, resource } = fieldsOf(body)
    const word = textOrNull(type, 200)
    const { service, deployment } = fieldsOf(resource)
    const id = fieldsOf(deployment)["id"] ?? fieldsOf(details)["id"]
    return {
      word: word ?? "unknown",
      id: textOrNull(timestamp) === null || textOrNull(id) === null ? null : deliveryId(id, type, timestamp),
      deployment: readDeployment(id, statusFrom(word, fieldsOf(details)), fieldsOf(body)),
      notice: { title: noticeTitle(word, fieldsOf(service)["name"]), occurredAt: timeOf(timestamp) },
    }
  },
  test(secret, at) {
    const event = { type: "Signalbox.test", timestamp: at.toISOString(), details: {}, resource: {} }
    const body = Buffer.from(JSON.stringify(event))
    return {
      headers: { "content-type": "application/json", ...sharedSecretHeaders(secret, body, at) },
      body,
    }
  },
}

/** By the event's own word, which is news; `details.status` is what the deployment had by then. */
function statusFrom(word: string | null, { status }: Fields): DeploymentStatus | null {
  if (word === null || !word.startsWith("Deployment.")) return null
  return statusOf(word.slice("Deployment.".length)) ?? (typeof status === "string" ? statusOf(status) : null)
}

function readDeployment(id: unknown, status: DeploymentStatus | null, body: Fields) {
  const { branch, commitHash, commitAuthor } = fieldsOf(body["details"])
  const { project, environment, service } = fieldsOf(body["resource"])
  const { name, isEphemeral } = fieldsOf(environment)
  return deploymentFrom({
    id,
    provider: "railway",
    status,
    project: fieldsOf(service)["name"] ?? fieldsOf(project)["name"],
    sha: commitHash,
    ref: branch,
    environment: name,
    environmentKind: isEphemeral === true ? "preview" : null,
    actor: personOf(commitAuthor, commitAuthor), // whose push it was, as far as is told
    occurredAt: timeText(body["timestamp"]),
  })
}
