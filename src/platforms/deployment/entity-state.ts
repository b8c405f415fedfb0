import { shownFields, stateValue } from "../../core/entity-state.ts"
import type { EntityState } from "../../core/envelope.ts"
import { environmentKindOf } from "./environment-kind.ts"
import type { Deployment } from "./schema.ts"
import type { DeploymentStatus } from "./status.ts"

/** Of states of one second, the later in the life of a deployment. */
const progress: Readonly<Record<DeploymentStatus, number>> = {
  queued: 0,
  in_progress: 1,
  success: 2,
  failure: 2,
  canceled: 2,
  rolled_back: 3,
  inactive: 4,
}

/** How a deployment stands by what is told of it; at its arrival where no time is. */
export function stateOf(entity: string, deployment: Deployment, receivedAt: Date): EntityState {
  const { status, project, repo, sha, ref, environment, environmentKind, attempt } = deployment
  const kind = environmentKindOf(environmentKind ?? null, environment ?? null)
  const told: Readonly<Record<string, unknown>> = {
    status,
    service: project,
    repository: repo?.fullName.toLowerCase(),
    environment,
    environmentKind: kind === "unknown" ? undefined : kind,
    sha,
    ref,
    previousSha: deployment.previousSha,
    url: deployment.url,
    logUrl: deployment.logUrl,
    attempt,
    author: deployment.actor?.name,
  }
  // What is left out is not told: an empty member says no more.
  const fields = Object.entries(told).map(([name, value]) => [
    name,
    value === null ? undefined : stateValue(value),
  ])
  return {
    entity,
    at: deployment.occurredAt ? withinSecond(deployment.occurredAt, progress[status]) : receivedAt,
    fields: shownFields(Object.fromEntries(fields)),
    keepsLinks: true, // what was deployed was deployed, whatever is there now
  }
}

/** Many tools tell no more of a time than its second. */
function withinSecond(when: Date, place: number): Date {
  return when.getMilliseconds() === 0 ? new Date(when.getTime() + place) : when
}
