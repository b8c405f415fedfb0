import { bodyKey, deliveryKey } from "../../core/delivery-key.ts"
import type { Priority } from "../../core/envelope.ts"
import { SignalboxError } from "../../core/errors.ts"
import { misspelt } from "../../core/nearest-name.ts"
import type { Identity, Message } from "../../core/platform.ts"
import { environmentKindOf } from "./environment-kind.ts"
import { deploymentSchema, type Deployment } from "./schema.ts"
import type { Reading } from "./sender.ts"
import { senderOf } from "./senders/index.ts"

/** The type of an event that tells of no deployment, or of nothing that can be read. */
const unknownType = "deployment.unknown.received"

/**
 * Keyed by what the sender knows the delivery by; in our own form by `provider/id/status/attempt`,
 * whichever way it came: a state is reached once an attempt. Each part is percent-encoded, so that no
 * part runs into the next. Throws 400 naming each field at fault where the body is the user's own.
 */
export function identify(message: Message, body: Buffer): Identity {
  const reading = read(message)
  const { deployment } = reading
  if (deployment !== null && isOwnForm(message.sender)) refuseMisspelt(deployment)
  return {
    key: keyOf(message.sender, reading, body),
    name: nameOf(message.sender, reading),
    type: typeOf(deployment),
    priority: deployment === null ? "normal" : priorityOf(kindOf(deployment), deployment.status),
  }
}

/** Whether a sender writes our own form, in which each member is as its writer chose it. */
export function isOwnForm(sender: string | undefined): boolean {
  return sender === undefined || sender === "generic"
}

const members = Object.keys(deploymentSchema.shape)

/** Asked of what comes in alone: what was taken in before is read as it was. */
function refuseMisspelt(deployment: Deployment): void {
  const fault = misspelt(deployment, members)
  if (fault !== null) throw new SignalboxError("bad_request", `not a deployment: ${fault}`)
}

/** What a message's sender says by it. Throws 400 where it cannot be read, or where nobody has that sender. */
export function read(message: Message): Reading {
  const sender = senderOf(message.sender)
  if (sender === undefined) {
    throw new SignalboxError("bad_request", "this version knows no sender of the name that the source has")
  }
  return sender.read(message)
}

function keyOf(sender: string | undefined, { word, id, deployment }: Reading, body: Buffer): string {
  if (id !== null) return deliveryKey(`${sender}/${id}`)
  if (word !== null || deployment === null) return bodyKey(body)
  const { provider, id: deploymentId, status, attempt } = deployment
  return deliveryKey([provider, deploymentId, status, attempt ?? 1].map(encodeURIComponent).join("/"))
}

/** `production:success` of our own form, the sender's own name for it else: `vercel:deployment.created`. */
function nameOf(sender: string | undefined, { word, deployment }: Reading): string {
  if (word !== null || deployment === null) return `${sender}:${word ?? "unknown"}`
  return `${kindOf(deployment)}:${deployment.status}`
}

/** `deployment.production.success`. */
export function typeOf(deployment: Deployment | null): string {
  return deployment === null ? unknownType : `deployment.${kindOf(deployment)}.${deployment.status}`
}

/** `production`, `staging`, …, `unknown`. */
export function kindOf({ environmentKind, environment }: Deployment): string {
  return environmentKindOf(environmentKind ?? null, environment ?? null)
}

function priorityOf(kind: string, status: Deployment["status"]): Priority {
  if (kind === "production") return status === "failure" || status === "rolled_back" ? "critical" : "high"
  return kind === "preview" ? "low" : "normal"
}
