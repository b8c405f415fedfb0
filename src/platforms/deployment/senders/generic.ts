import type { Sender } from "../sender.ts"
import { readStrictly } from "../own-form.ts"
import { sharedSecretHeaders, sharedSecretProblem, verifySharedSecret } from "../shared-secret.ts"
import { ownTestBody } from "../test-body.ts"

/** Any tool that writes our own form and cannot sign it: believed by a token or a header. */
export const generic: Sender = {
  name: "generic",
  checkSecret: sharedSecretProblem,
  verify: verifySharedSecret,
  read: readStrictly,
  test(secret, at) {
    const body = ownTestBody(at)
    return {
      headers: { "content-type": "application/json", ...sharedSecretHeaders(secret, body, at) },
      body,
    }
  },
}
