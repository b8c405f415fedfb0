import { entityKey } from "../../core/entity-key.ts"
import type { Message, Normalized, TextField } from "../../core/platform.ts"
import { kindOf, typeOf } from "./identify.ts"
import { type Deployment, deploymentSchema } from "./schema.ts"
import { referencesOf } from "./shipped.ts"

/** Reads a deployment. What `identify` would refuse is read as one that nothing is known of. */
export function normalize({ payload, receivedAt }: Message): Normalized {
  const parsed = deploymentSchema.safeParse(payload)
  if (!parsed.success) return unreadable(receivedAt)
  const deployment = parsed.data
  const { id, provider, project, repo, sha, ref, environment, status, attempt, previousSha } = deployment
  const { url, logUrl, correlationId, causationId } = deployment
  return {
    type: typeOf(deployment),
    actor: deployment.actor ?? null,
    entity: entityKey.deployment(id),
    title: titleOf(deployment),
    url: url ?? logUrl ?? null,
    occurredAt: deployment.occurredAt ?? receivedAt,
    detail: {
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
      deployment_url: url ?? null,
      log_url: logUrl ?? null,
    },
    references: referencesOf(deployment),
    texts: textsOf(deployment),
    ...(typeof correlationId === "string" ? { correlationId } : {}),
    ...(typeof causationId === "string" ? { causationId } : {}),
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

function unreadable(receivedAt: Date): Normalized {
  return {
    type: "deployment.unknown.received",
    actor: null,
    entity: null,
    title: null,
    url: null,
    occurredAt: receivedAt,
    detail: { deployment_id: "unknown", provider: "unknown", status: "unknown" },
    references: [],
    texts: [],
  }
}
