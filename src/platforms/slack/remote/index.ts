import type { Remote } from "../../../core/remote.ts"
import { connectOptions, plan } from "./connect.ts"
import { sweep } from "./sweep.ts"

/** What Slack is asked through its API: what was said; and how an app is set up there. */
export const remote: Remote = {
  recovery: { sweep },
  connector: { options: connectOptions, needsCredential: false, plan },
}
