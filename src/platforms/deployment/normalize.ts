import type { DeploymentDetail } from "../../core/deployment-detail.ts"
import { entityKey } from "../../core/entity-key.ts"
import { SignalboxError } from "../../core/errors.ts"
import type { Message, Normalized, TextField } from "../../core/platform.ts"
import { stateOf } from "./entity-state.ts"
import { isOwnForm, kindOf, read, typeOf } from "./identify.ts"
import type { Deployment } from "./schema.ts"
import type { Notice } from "./sender.ts"
import { referencesOf } from "./shipped.ts"

/** Reads a delivery. What `identify` would refuse is read as one that nothing is known of. */
export function normalize(message: Message): Normalized {
  const { receivedAt } = message
  try {
    const { deployment, notice } = read(message)
    return deployment === null
      ? ofNotice(notice, receivedAt)
      : ofDeployment(deployment, message.sender, receivedAt)
  } catch (error) {
    if (error instanceof SignalboxError) return ofNotice(undefined, receivedAt)
    throw error
  }
}

function ofDeployment(deployment: Deployment, sender: string | undefined, receivedAt: Date): Normalized {
  const { url, logUrl, correlationId, causationId } = deployment
  const detail = detailOf(deployment)
  const entity = entityOf(deployment, sender)
  return {
    type: typeOf(deployment),
    actor: deployment.actor ?? null,
    entity,
    title: titleOf(deployment),
    url: url ?? logUrl ?? null,
    occurredAt: deployment.occurredAt ?? receivedAt,
    detail: { ...detail },
    deployment: detail,
    references: referencesOf(deployment),
    texts: textsOf(deployment),
    states: [stateOf(entity, deployment, receivedAt)],
    ...(typeof correlationId === "string" ? { correlationId } : {}),
    ...(typeof causationId === "string" ? { causationId } : {}),
  }
}

/** Whoever writes our own form chooses its ids for all; a named sender's are its provider's alone. */
function entityOf({ id, provider }: Deployment, sender: string | undefined): string {
  return entityKey.deployment(isOwnForm(sender) ? id : `${provider}/${id}`)
}

function detailOf(deployment: Deployment): DeploymentDetail {
  const { id, provider, project, repo, sha, ref, environment, status, attempt, previousSha } = deployment
  return {
    deployment_id: id,
    provider,
    project: project ?? null,
    repository: repo?.fullName.toLowerCase() ?? null,
    sha: sha ?? null,
    ref: ref ?? null,
    environment: environment ?? null,
    environment_kind: kindOf(deployment),
    status,
    attempt: attempt ?? 1,
    previous_sha: previousSha ?? null,
    deployment_url: deployment.url ?? null,
    log_url: deployment.logUrl ?? null,
  }
}

function titleOf(deployment: Deployment): string {
  const { project, repo, id, environment, status } = deployment
  const what = project ?? repo?.fullName ?? id
  return `${what} to ${environment ?? kindOf(deployment)}: ${status.replaceAll("_", " ")}`
}

/** A preview is deployed from a branch, and the branch may name its issue. */
function textsOf({ ref }: Deployment): TextField[] {
  if (ref === undefined || ref === null || ref.startsWith("refs/tags/") || /^[0-9a-f]{7,64}$/i.test(ref))
    return []
  const branch = ref.replace(/^refs\/heads\//, "")
  return branch === "" ? [] : [{ field: "branch", format: "branch", text: branch }]
}

function ofNotice(notice: Notice | undefined, receivedAt: Date): Normalized {
  const correlationId = notice?.correlationId ?? null
  return {
    type: typeOf(null),
    actor: notice?.actor ?? null,
    entity: null,
    title: notice?.title ?? null,
    url: notice?.url ?? null,
    occurredAt: notice?.occurredAt ?? receivedAt,
    detail: null,
    references: [],
    texts: [],
    ...(correlationId === null ? {} : { correlationId }),
  }
}
