import { verifyWebhook, webhookSecretProblem } from "../../../core/standard-webhooks.ts"
import { readStrictly } from "../own-form.ts"
import type { Sender } from "../sender.ts"
import { webhookHeaders } from "../shared-secret.ts"
import { ownTestBody } from "../test-body.ts"

/** Our own form, signed by Standard Webhooks: what a source is that names no sender. */
export const signed: Sender = {
  name: "signed",
  checkSecret: webhookSecretProblem,
  verify: verifyWebhook,
  read: readStrictly,
  test(secret, at) {
    const body = ownTestBody(at)
    return { headers: { "content-type": "application/json", ...webhookHeaders(secret, body, at) }, body }
  },
}
