import type { Priority } from "../../../core/envelope.ts"
import { commitKey, identified, repository } from "../keys.ts"
import { at, text } from "../read.ts"
import { checkReferences, reference } from "../references.ts"
import type { EventShape, Shapes } from "../shape.ts"

const failed = new Set(["failure", "timed_out", "startup_failure", "action_required", "error"])
const finished = new Set(["completed", "success"])

// What failed waits for somebody; what merely began is of interest to nobody.
function checkPriority(path: string): (payload: unknown) => Priority {
  return (payload) => {
    if (failed.has(text(payload, `${path}.conclusion`) ?? "")) return "high"
    return finished.has(text(payload, `${path}.status`) ?? "") ? "normal" : "low"
  }
}

function check(
  kind: string,
): Pick<EventShape, "priority" | "about" | "entity" | "ref" | "sha" | "state" | "references"> {
  return {
    priority: checkPriority(kind),
    about: kind,
    entity: identified(kind, `${kind}.id`),
    ref: [`${kind}.head_branch`, `${kind}.check_suite.head_branch`],
    sha: [`${kind}.head_sha`],
    state: [`${kind}.conclusion`, `${kind}.status`],
    references: checkReferences(kind),
  }
}

/** Checks, Actions and commit statuses. */
export const checkShapes: Shapes = {
  check_run: { has: ["check_run", "action"], hasNot: ["deployment_status"], ...check("check_run") },
  check_suite: { has: ["check_suite"], title: ["check_suite.app.name"], ...check("check_suite") },
  workflow_run: {
    has: ["workflow_run", "action"],
    hasNot: ["deployment", "deployment_status", "since"],
    title: ["workflow_run.display_title", "workflow_run.name"],
    ...check("workflow_run"),
  },
  workflow_job: { has: ["workflow_job"], ...check("workflow_job") },
  workflow_dispatch: {
    verb: "dispatched",
    has: ["workflow", "ref", "inputs"],
    entity: repository,
    title: ["workflow"],
    ref: ["ref"],
  },
  status: {
    verb: "updated",
    has: ["sha", "context", "state", "commit"],
    priority: (payload) => {
      const state = text(payload, "state") ?? ""
      return failed.has(state) ? "high" : finished.has(state) ? "normal" : "low"
    },
    entity: identified("status", "id"),
    title: ["context"],
    url: ["target_url", "commit.html_url", "repository.html_url"],
    time: ["updated_at", "created_at"],
    sha: ["sha"],
    state: ["state"],
    references: (payload) => reference(commitKey(at(payload, "sha")), "checks", "sha", at(payload, "sha")),
  },
}
