import type { DeploymentDetail } from "../../core/deployment-detail.ts"
import { environmentKindOf } from "../deployment/environment-kind.ts"
import { statusOf } from "../deployment/status.ts"
import { repositoryOf } from "./keys.ts"
import { actionOf } from "./naming.ts"
import { at, count, firstText, id, text, webAddress } from "./read.ts"

/**
 * The state of a deployment that an event tells of: `deployment` that one is asked for,
 * `deployment_status` every state after. A run of a workflow is one only where the workflow says so by
 * its name, `deploy: <environment>`, for whoever deploys without GitHub's environments: of a job that has
 * an environment GitHub sends deployments itself, and counting its run as well would count it twice.
 */
export function deploymentOf(event: string, payload: unknown): DeploymentDetail | null {
  if (event === "deployment") return rowOf(payload, "queued")
  if (event === "deployment_status") {
    const status = statusOf(text(payload, "deployment_status.state", 64) ?? "")
    return status === null ? null : rowOf(payload, status)
  }
  return event === "workflow_run" ? runOf(payload) : null
}

function rowOf(payload: unknown, status: string): DeploymentDetail | null {
  const deployment = id(payload, "deployment.id")
  if (deployment === null) return null
  const environment = firstText(payload, ["deployment_status.environment", "deployment.environment"], 256)
  return {
    ...where(environment, kindTold(payload)),
    deployment_id: deployment,
    provider: "github",
    project: null,
    repository: repositoryOf(payload),
    sha: shaOf(payload, "deployment.sha"),
    ref: text(payload, "deployment.ref", 512),
    status,
    attempt: null,
    previous_sha: null,
    deployment_url: webAddress(payload, "deployment_status.environment_url"),
    log_url:
      webAddress(payload, "deployment_status.log_url") ?? webAddress(payload, "deployment_status.target_url"),
  }
}

/** What whoever asked for the deployment has said of its environment. */
function kindTold(payload: unknown): string | null {
  if (at(payload, "deployment.production_environment") === true) return "production"
  return at(payload, "deployment.transient_environment") === true ? "preview" : null
}

const deployName = /^deploy:\s*(\S.{0,200})$/i

/** What GitHub calls the states and ends of a run, where statusOf has no word for them. */
const endings: Readonly<Record<string, string>> = {
  neutral: "success",
  stale: "canceled",
  startup_failure: "failure",
  action_required: "queued",
}

function runOf(payload: unknown): DeploymentDetail | null {
  const environment = deployName.exec(text(payload, "workflow_run.name", 256) ?? "")?.[1]?.trim()
  const run = id(payload, "workflow_run.id")
  if (environment === undefined || run === null) return null
  const word = firstText(payload, ["workflow_run.conclusion", "workflow_run.status"], 64) ?? actionOf(payload)
  if (word === null) return null
  const status = Object.hasOwn(endings, word) ? endings[word] : statusOf(word)
  if (status === undefined || status === null) return null
  return {
    ...where(environment, null),
    deployment_id: `run/${run}`,
    provider: "github",
    project: null,
    repository: repositoryOf(payload),
    sha: shaOf(payload, "workflow_run.head_sha"),
    ref: text(payload, "workflow_run.head_branch", 512),
    status,
    attempt: attemptOf(payload),
    previous_sha: null,
    deployment_url: null,
    log_url: webAddress(payload, "workflow_run.html_url"),
  }
}

function where(environment: string | null, told: string | null) {
  return { environment, environment_kind: environmentKindOf(told, environment) }
}

function shaOf(payload: unknown, path: string): string | null {
  const sha = text(payload, path, 64)
  return sha !== null && /^[0-9a-f]{7,64}$/i.test(sha) ? sha.toLowerCase() : null
}

function attemptOf(payload: unknown): number | null {
  const attempt = count(payload, "workflow_run.run_attempt")
  return attempt === null || attempt > 1_000_000 ? null : attempt // the column holds 32 bits
}
