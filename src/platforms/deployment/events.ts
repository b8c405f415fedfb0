import type { Fields } from "../../core/fields.ts"
import type { DeploymentPayload } from "./schema.ts"
import type { DeploymentStatus } from "./status.ts"

/** The usual kinds of environment; another kind has its names all the same. */
type Kind = "production" | "staging" | "preview" | "development" | "test" | "unknown"

/** The tools whose bodies are their own. */
type Tool = "vercel" | "netlify" | "render" | "heroku" | "railway" | "cloudevents"

/**
 * Payloads by the name a handler is registered under: `production:success`, or any other kind of
 * environment, in our own form; `vercel:deployment.succeeded` in the form of the tool that sent it.
 * `on("deployment.production.success")` takes both.
 */
export type DeploymentEvents = {
  [Name in `${string}:${DeploymentStatus}`]: DeploymentPayload
} & {
  [Name in Kind | `${Kind}:*`]: DeploymentPayload
} & {
  [Name in Tool | `${Tool}:${string}`]: Fields
}
