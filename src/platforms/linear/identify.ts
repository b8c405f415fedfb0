import { bodyKey, deliveryKey } from "../../core/delivery-key.ts"
import type { Priority } from "../../core/envelope.ts"
import { type Fields, fieldsOf } from "../../core/fields.ts"
import type { Identity, Message } from "../../core/platform.ts"
import { typeSegment } from "../../core/segment.ts"
import { textOrNull } from "../../core/text.ts"
import { stateOf } from "./state.ts"

/**
 * The key is `linear-delivery`, which a retry repeats; `webhookId` names the hook and is the same in all
 * its deliveries. Old hooks send no such header: the body's hash serves them. The header is not signed,
 * so a body that tells of no state has its own hash for one: under another header it is a duplicate. A
 * body that does not say what happened to what was signed all the same, and is taken as
 * `linear.unknown.received`.
 */
export function identify({ headers, payload }: Message, body: Buffer): Identity {
  const fields = fieldsOf(payload)
  const header = headers["linear-delivery"] ?? ""
  return {
    key: header === "" ? bodyKey(body) : deliveryKey(header),
    name: `${textOrNull(fields["type"], 128) ?? "unknown"}:${textOrNull(fields["action"], 127) ?? "received"}`,
    type: typeOf(fields),
    priority: priorityOf(fields),
    state: stateOf(fields) ?? bodyKey(body),
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
