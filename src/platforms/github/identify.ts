import { SignalboxError } from "../../core/errors.ts"
import { mediaType } from "../../core/payload.ts"
import type { Identity, Message } from "../../core/platform.ts"
import { isUuid } from "../../core/uuid.ts"
import { shapeOf } from "./catalogue/index.ts"
import { actionOf, isEventName, nameOf, typeOf } from "./naming.ts"
import { at, isRecord } from "./read.ts"

/**
 * The delivery key is the GUID of X-GitHub-Delivery: the same for a redelivery, and for every hook
 * that is sent the same event. Throws 400 where a header is missing or malformed, or where the body,
 * which alone is signed, is not one of the event that the header claims.
 */
export function identify(message: Message, body: Buffer): Identity {
  const event = message.headers["x-github-event"] ?? ""
  if (event === "") throw badRequest("the header X-GitHub-Event is missing")
  if (!isEventName(event)) throw badRequest("X-GitHub-Event is not the name of an event")
  const key = (message.headers["x-github-delivery"] ?? "").toLowerCase()
  if (key === "") throw badRequest("the header X-GitHub-Delivery is missing")
  if (!isUuid(key)) throw badRequest("X-GitHub-Delivery is not a GUID")

  const { payload } = message
  checkForm(message, body)
  if (!isRecord(payload) || Array.isArray(payload)) throw badRequest("the body is not a JSON object")
  checkClaim(event, payload)

  const { priority = "normal" } = shapeOf(event)
  return {
    key,
    name: nameOf(event, payload),
    type: typeOf(event, payload),
    priority: typeof priority === "function" ? priority(payload, actionOf(payload)) : priority,
  }
}

function checkForm({ contentType }: Message, body: Buffer): void {
  if (mediaType(contentType) !== "application/x-www-form-urlencoded") return
  // Without the field, the form's own fields would be taken for the event.
  if (!/(?:^|&)payload=/.test(body.toString("latin1"))) throw badRequest("the form has no field payload")
}

function checkClaim(event: string, payload: unknown): void {
  const { has, hasNot = [], actions } = shapeOf(event)
  const missing = has.find((path) => at(payload, path) === undefined)
  const alien = hasNot.find((path) => at(payload, path) !== undefined)
  const action = actionOf(payload)
  if (missing !== undefined) throw notOf(event, `${missing} is missing`)
  if (alien !== undefined) throw notOf(event, `it has ${alien}`)
  if (actions !== undefined && !actions.includes(action ?? "")) throw notOf(event, "its action is another")
}

function notOf(event: string, why: string): SignalboxError {
  return badRequest(`X-GitHub-Event says ${event}, and the body is not one of that event: ${why}`)
}

function badRequest(message: string): SignalboxError {
  return new SignalboxError("bad_request", message)
}
