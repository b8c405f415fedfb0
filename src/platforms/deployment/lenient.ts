import { type Deployment, deploymentSchema } from "./schema.ts"
import type { DeploymentStatus } from "./status.ts"

const { shape } = deploymentSchema

const lenientSchema = deploymentSchema.extend({
  project: shape.project.catch(null),
  repo: shape.repo.catch(null),
  sha: shape.sha.catch(null),
  ref: shape.ref.catch(null),
  environment: shape.environment.catch(null),
  environmentKind: shape.environmentKind.catch(null),
  url: shape.url.catch(null),
  logUrl: shape.logUrl.catch(null),
  actor: shape.actor.catch(null),
  previousSha: shape.previousSha.catch(null),
  prs: shape.prs.catch(null),
  issues: shape.issues.catch(null),
  occurredAt: shape.occurredAt.catch(null),
  attempt: shape.attempt.catch(null),
  correlationId: shape.correlationId.catch(null),
  causationId: shape.causationId.catch(null),
})

/** What a sender's body was found to hold; of what is not as it should be, only that member is left out. */
export type Candidate = {
  [Name in Exclude<keyof typeof shape, "id" | "provider" | "status">]?: unknown
} & {
  id: unknown
  provider: string
  /** Null where the sender's word for it is unknown. */
  status: DeploymentStatus | null
}

/** The deployment, or null where its id or its state cannot be told. */
export function deploymentFrom(candidate: Candidate): Deployment | null {
  return lenientDeployment(candidate)
}

/** The same for a body in our own form that nobody vouches for. */
export function lenientDeployment(body: unknown): Deployment | null {
  return lenientSchema.safeParse(body).data ?? null
}
