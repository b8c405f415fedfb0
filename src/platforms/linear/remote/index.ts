import type { Remote } from "../../../core/remote.ts"
import { connectOptions, plan } from "./connect.ts"
import { sweep } from "./sweep.ts"

/** What Linear is asked through its API: what is there, and to send webhooks of it. */
export const remote: Remote = {
  recovery: { sweep },
  connector: { options: connectOptions, needsCredential: true, plan },
}
