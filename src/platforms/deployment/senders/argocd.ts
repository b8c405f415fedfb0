import { fieldsOf } from "../../../core/fields.ts"
import { lenientDeployment } from "../lenient.ts"
import { readStrictly } from "../own-form.ts"
import { repoOfUrl } from "../repo-url.ts"
import type { Sender } from "../sender.ts"
import { sharedSecretHeaders, sharedSecretProblem, verifySharedSecret } from "../shared-secret.ts"
import { ownTestBody } from "../test-body.ts"

/**
 * Argo CD, by the notification template of docs/argocd.md, which writes our own form with a `repoUrl`. A template has no
 * way to leave a member out, and a revision may be a chart's version: what does not fit is left aside,
 * and only what cannot do without (id, status) is asked for.
 */
export const argocd: Sender = {
  name: "argocd",
  checkSecret: sharedSecretProblem,
  verify: verifySharedSecret,
  read(message) {
    const body = fieldsOf(message.payload)
    const payload = { repo: repoOfUrl(body["repoUrl"]), ...body, provider: "argocd" }
    const deployment = lenientDeployment(payload)
    return deployment === null ? readStrictly({ ...message, payload }) : { word: null, id: null, deployment }
  },
  test(secret, at) {
    const body = ownTestBody(at)
    return {
      headers: { "content-type": "application/json", ...sharedSecretHeaders(secret, body, at) },
      body,
    }
  },
}
