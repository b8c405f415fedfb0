import type { Remote } from "../../../core/remote.ts"
import { connectOptions, plan } from "./connect.ts"
import { notes } from "./notes.ts"
import { sweep } from "./sweep.ts"

/** What Slack is asked through its API: what was said; how an app is set up there; and notes in threads. */
export const remote: Remote = {
  recovery: { sweep },
  connector: { options: connectOptions, needsCredential: false, plan },
  notes,
}
