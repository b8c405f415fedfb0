import type { Remote } from "../../../core/remote.ts"
import { createBudgets } from "./budget.ts"
import { createClient, type Shared } from "./client.ts"
import { connectOptions, planHooks } from "./connect.ts"
import { copy, redeliver } from "./deliveries.ts"
import { createEtags } from "./etags.ts"
import { findNote, leaveNote } from "./notes.ts"
import { sweep } from "./sweep.ts"

// Shared by all sources of the process: their tokens may be one, and so its limit.
const shared: Shared = { budgetOf: createBudgets(), etags: createEtags(16 * 1024 * 1024) }

/** What GitHub can be asked through its REST API, on github.com or an Enterprise Server. */
export const remote: Remote = {
  recovery: {
    sweep: (access, window) => sweep(createClient(access, shared), access, window),
    redeliver: (access, handle) => redeliver(createClient(access, shared), handle),
    copy: (access, handle) => copy(createClient(access, shared), handle),
  },
  connector: {
    options: connectOptions,
    needsCredential: true,
    plan: (request) => planHooks(createClient(request.access, shared), request),
  },
  notes: {
    leave: (access, place, note) => leaveNote(createClient(access, shared), place, note),
    find: (access, place, since) => findNote(createClient(access, shared), place, since),
  },
}
