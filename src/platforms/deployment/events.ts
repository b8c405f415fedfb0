import type { DeploymentPayload } from "./schema.ts"
import type { DeploymentStatus } from "./status.ts"

/** Payloads by the name a handler is registered under: `production:success`, or any other kind of environment. */
export type DeploymentEvents = {
  [Name in `${string}:${DeploymentStatus}`]: DeploymentPayload
}
