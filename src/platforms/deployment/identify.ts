import { deliveryKey } from "../../core/delivery-key.ts"
import type { Priority } from "../../core/envelope.ts"
import type { Identity, Message } from "../../core/platform.ts"
import { refusal } from "../../core/submission.ts"
import { environmentKindOf } from "./environment-kind.ts"
import { type Deployment, deploymentSchema } from "./schema.ts"

/**
 * Keyed by `provider/id/status/attempt`, whichever way it came: a state is reached once an attempt. Each
 * part is percent-encoded, so that no part runs into the next. Throws 400 naming each field at fault.
 */
export function identify({ payload }: Message): Identity {
  const parsed = deploymentSchema.safeParse(payload)
  if (!parsed.success) throw refusal("not a deployment", parsed.error)
  const { provider, id, status, attempt } = parsed.data
  const key = [provider, id, status, attempt ?? 1].map(encodeURIComponent).join("/")
  const kind = kindOf(parsed.data)
  return {
    key: deliveryKey(key),
    name: `${kind}:${status}`,
    type: typeOf(parsed.data),
    priority: priorityOf(kind, status),
  }
}

/** `deployment.production.success`. */
export function typeOf(deployment: Deployment): string {
  return `deployment.${kindOf(deployment)}.${deployment.status}`
}

/** `production`, `staging`, …, `unknown`. */
export function kindOf({ environmentKind, environment }: Deployment): string {
  return environmentKindOf(environmentKind ?? null, environment ?? null)
}

function priorityOf(kind: string, status: Deployment["status"]): Priority {
  if (kind === "production") return status === "failure" || status === "rolled_back" ? "critical" : "high"
  return kind === "preview" ? "low" : "normal"
}
