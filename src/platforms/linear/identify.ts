import { bodyKey, deliveryKey } from "../../core/delivery-key.ts"
import type { Priority } from "../../core/envelope.ts"
import { SignalboxError } from "../../core/errors.ts"
import { type Fields, fieldsOf } from "../../core/fields.ts"
import type { Identity, Message } from "../../core/platform.ts"
import { typeSegment } from "../../core/segment.ts"
import { cleanText } from "../../core/text.ts"

/**
 * The key is `linear-delivery`, which a retry repeats; `webhookId` names the hook and is the same in all
 * its deliveries. Old hooks send no such header: the body's hash serves them. Throws 400 where the body
 * does not say what happened to what.
 */
export function identify({ headers, payload }: Message, body: Buffer): Identity {
  const fields = fieldsOf(payload)
  const { model, verb } = segmentsOf(fields)
  if (model === null || verb === null) {
    throw new SignalboxError(
      "bad_request",
      'a Linear webhook names its model in "type" and what happened in "action", both strings',
    )
  }
  const header = headers["linear-delivery"] ?? ""
  return {
    key: header === "" ? bodyKey(body) : deliveryKey(header),
    name: cleanText(`${textOf(fields["type"])}:${textOf(fields["action"])}`, 256),
    type: `linear.${model}.${verb}`,
    priority: priorityOf(fields),
  }
}

/** `linear.issue.update`; of a payload that says no more, `linear.unknown.received`. */
export function typeOf(payload: Fields): string {
  const { model, verb } = segmentsOf(payload)
  return `linear.${model ?? "unknown"}.${verb ?? "received"}`
}

function segmentsOf({ type, action }: Fields): { model: string | null; verb: string | null } {
  return { model: typeSegment(type === "OAuthApp" ? "OauthApp" : type), verb: typeSegment(action) }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : ""
}

const urgent = 1 // Linear's issue priorities: 0 none, 1 urgent, 2 high, 3 medium, 4 low

function priorityOf({ type, action, data }: Fields): Priority {
  switch (type) {
    case "AgentSessionEvent": // Linear marks an agent unresponsive after 10 seconds
      return "high"
    case "IssueSLA":
      return action === "set" ? "normal" : "high"
    case "Issue":
      return fieldsOf(data)["priority"] === urgent ? "high" : "normal"
    case "Reaction":
    case "AuditEntry":
      return "low"
    default:
      return "normal"
  }
}
