import { fieldsOf } from "../../../core/fields.ts"
import { verifyWebhook, webhookSecretProblem } from "../../../core/standard-webhooks.ts"
import { textOrNull } from "../../../core/text.ts"
import { deliveryId } from "../delivery-id.ts"
import { deploymentFrom } from "../lenient.ts"
import { noticeTitle, timeOf, timeText } from "../notice.ts"
import type { Sender } from "../sender.ts"
import { webhookHeaders } from "../shared-secret.ts"
import { type DeploymentStatus, statusOf } from "../status.ts"

/**
 * Render. Documented at render.com/docs/webhooks: Standard Webhooks; `type`, `timestamp` and `data` with
 * the event's `id`, `serviceId`, `serviceName`, and `status` where something has ended. The body names
 * neither the deploy nor its commit (the API does, by the event's id): the start and the end of a deploy
 * are two deployments to us, each under its event's id, unless `data.deployId` is there.
 */
export const render: Sender = {
  name: "render",
  checkSecret: webhookSecretProblem,
  secretOrigin: "Render makes it: Signing Secret on the page of the webhook under Integrations, Webhooks",
  verify: verifyWebhook,
  read({ payload: body, headers }) {
    const { type, timestamp, data } = fieldsOf(body)
    const { id, deployId, serviceId, serviceName, status } = fieldsOf(data)
    const word = textOrNull(type, 200)
    const state = starts.get(word ?? "") ?? (word === "deploy_ended" ? endOf(status) : null)
    return {
      word: word ?? "unknown",
      id: deliveryId(id) ?? deliveryId(headers["webhook-id"]),
      deployment: deploymentFrom({
        id: deployId ?? id,
        provider: "render",
        status: state,
        project: serviceName ?? serviceId,
        occurredAt: timeText(timestamp),
      }),
      notice: { title: noticeTitle(word, serviceName ?? serviceId), occurredAt: timeOf(timestamp) },
    }
  },
  test(secret, at) {
    const event = { type: "signalbox_test", timestamp: at.toISOString() }
    const data = { id: `signalbox-test-${at.getTime()}`, serviceName: "signalbox test" }
    const body = Buffer.from(JSON.stringify({ ...event, data }))
    return { headers: { "content-type": "application/json", ...webhookHeaders(secret, body, at) }, body }
  },
}

const starts: ReadonlyMap<string, DeploymentStatus> = new Map([["deploy_started", "in_progress"]])

/** `succeeded`, `failed` or `canceled`. */
function endOf(status: unknown): DeploymentStatus | null {
  return typeof status === "string" ? statusOf(status) : null
}
