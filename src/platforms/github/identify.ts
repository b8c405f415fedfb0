import { SignalboxError } from "../../core/errors.ts"
import { mediaType } from "../../core/payload.ts"
import type { Identity, Message } from "../../core/platform.ts"
import { catalogue, shapeOf } from "./catalogue/index.ts"
import { actionOf, isEventName, nameOf, typeOf } from "./naming.ts"
import { at } from "./read.ts"
import type { EventShape } from "./shape.ts"
import { stateOf } from "./state.ts"

// GitHub sends a GUID; proxies and people who replay by hand send what they like.
const deliveryToken = /^[\x21-\x7e]{1,200}$/

/**
 * The delivery key is the GUID of X-GitHub-Delivery: the same for a redelivery, and for every hook
 * that is sent the same event. Throws 400 where a header is missing or malformed, or where the body,
 * which alone is signed, is that of another event than the header claims. A body that is odd in any
 * other way is signed all the same, and taken.
 */
export function identify(message: Message, body: Buffer): Identity {
  const event = message.headers["x-github-event"] ?? ""
  if (event === "") throw badRequest("the header X-GitHub-Event is missing")
  if (!isEventName(event)) throw badRequest("X-GitHub-Event is not the name of an event")
  const key = (message.headers["x-github-delivery"] ?? "").toLowerCase()
  if (key === "") throw badRequest("the header X-GitHub-Delivery is missing")
  if (!deliveryToken.test(key)) throw badRequest("X-GitHub-Delivery is not a GUID or any short token")

  const { payload } = message
  checkForm(message, body)
  checkClaim(event, payload)

  const { priority = "normal" } = shapeOf(event)
  const record = stateOf(event, payload)
  return {
    key,
    name: nameOf(event, payload),
    type: typeOf(event, payload),
    priority: typeof priority === "function" ? priority(payload, actionOf(payload)) : priority,
    ...(record === null ? {} : { record }),
    endpointHeader: "x-github-hook-id",
  }
}

function checkForm({ contentType }: Message, body: Buffer): void {
  if (mediaType(contentType) !== "application/x-www-form-urlencoded") return
  // Without the field, the form's own fields would be taken for the event.
  if (!/(?:^|&)payload=/.test(body.toString("latin1"))) throw badRequest("the form has no field payload")
}

/**
 * A body that lacks what its claim needs and has the shape of another event is that other event. What
 * has the shape of none is odd, but signed, and taken as what it claims to be.
 */
function checkClaim(event: string, payload: unknown): void {
  if (fits(shapeOf(event), payload)) return
  for (const [other, shape] of catalogue) {
    if (other !== event && fits(shape, payload)) {
      throw badRequest(`X-GitHub-Event says ${event}, and the body is one of ${other}`)
    }
  }
}

function fits({ has, hasNot = [], actions }: EventShape, payload: unknown): boolean {
  return (
    has.every((path) => at(payload, path) !== undefined) &&
    hasNot.every((path) => at(payload, path) === undefined) &&
    (actions === undefined || actions.includes(actionOf(payload) ?? ""))
  )
}

function badRequest(message: string): SignalboxError {
  return new SignalboxError("bad_request", message)
}
