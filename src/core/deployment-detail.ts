/**
 * One row of `deployment_events`: a state that a deployment came to. Whatever platform tells of it, the
 * table is the same, so that "what is live where" is one query.
 */
export interface DeploymentDetail {
  /** Names the deployment within its provider; all its states share it. */
  deployment_id: string
  /** `github`, `vercel`, …, or what a tool calls itself. */
  provider: string
  /** What is deployed, where the provider has a name for it apart from the repository. */
  project: string | null
  /** `owner/name` in lower case. */
  repository: string | null
  /** Commit, in lower case; may be abbreviated. */
  sha: string | null
  /** Branch or tag. */
  ref: string | null
  /** As the provider names it. */
  environment: string | null
  /** `production`, `staging`, `preview`, …, `unknown`. */
  environment_kind: string | null
  /** One of the states of src/platforms/deployment/status.ts. */
  status: string
  attempt: number | null
  /** The commit that was live there before. */
  previous_sha: string | null
  deployment_url: string | null
  log_url: string | null
}

/** The table of those rows. */
export const deploymentTable = {
  table: "deployment_events",
  columns: [
    "deployment_id",
    "provider",
    "project",
    "repository",
    "sha",
    "ref",
    "environment",
    "environment_kind",
    "status",
    "attempt",
    "previous_sha",
    "deployment_url",
    "log_url",
  ],
} as const satisfies { table: string; columns: readonly (keyof DeploymentDetail)[] }
