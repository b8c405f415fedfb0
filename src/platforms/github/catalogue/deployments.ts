import type { Priority } from "../../../core/envelope.ts"
import { deployment, identified } from "../keys.ts"
import { at, text } from "../read.ts"
import { checkReferences, deploymentReferences } from "../references.ts"
import type { Shapes } from "../shape.ts"
import { deploymentState } from "../states.ts"
import { deploymentTexts } from "../texts.ts"

const failed = new Set(["failure", "error"])

/** GitHub's deployments and what guards them. */
export const deploymentShapes: Shapes = {
  deployment: {
    has: ["deployment"],
    hasNot: ["deployment_status", "workflow_job", "deployment_callback_url"],
    priority: "high",
    about: "deployment",
    entity: deployment,
    title: deploymentTitle,
    url: ["workflow_run.html_url", "repository.html_url"],
    // updated_at moves with later statuses, and a redelivery would bring the event's time along.
    time: ["deployment.created_at"],
    ref: ["deployment.ref"],
    sha: ["deployment.sha"],
    references: deploymentReferences,
    texts: deploymentTexts,
    stood: deploymentState(deployment),
  },
  deployment_status: {
    has: ["deployment", "deployment_status"],
    priority: statusPriority,
    about: "deployment_status",
    entity: deployment,
    title: deploymentTitle,
    url: [
      "deployment_status.log_url",
      "deployment_status.target_url",
      "deployment_status.environment_url",
      "repository.html_url",
    ],
    ref: ["deployment.ref"],
    sha: ["deployment.sha"],
    references: deploymentReferences,
    texts: deploymentTexts,
    stood: deploymentState(deployment),
  },
  deployment_review: {
    has: ["workflow_run", "since"],
    priority: "high",
    about: "workflow_run",
    entity: identified("workflow_run", "workflow_run.id"),
    title: ["workflow_run.display_title", "workflow_run.name"],
    time: ["since", "workflow_run.updated_at"],
    ref: ["workflow_run.head_branch"],
    sha: ["workflow_run.head_sha"],
    state: ["workflow_run.conclusion", "workflow_run.status"],
    references: checkReferences("workflow_run"),
  },
  deployment_protection_rule: {
    has: ["deployment_callback_url"],
    priority: "high",
    about: "deployment",
    entity: deployment,
    title: deploymentTitle,
    ref: ["deployment.ref"],
    sha: ["deployment.sha"],
    references: deploymentReferences,
  },
}

function deploymentTitle(payload: unknown): string | null {
  const environment = text(payload, "deployment.environment")
  const ref = text(payload, "deployment.ref")
  if (environment === null) return ref
  return ref === null ? environment : `${ref} to ${environment}`
}

// Only a failed deployment to people's own environment is urgent. `inactive` means superseded.
function statusPriority(payload: unknown): Priority {
  if (!failed.has(text(payload, "deployment_status.state") ?? "")) return "high"
  const flag = at(payload, "deployment.production_environment")
  const environment = text(payload, "deployment.environment") ?? ""
  return flag === true || /^prod/i.test(environment) ? "critical" : "high"
}
