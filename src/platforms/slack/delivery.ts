import { type Fields, fieldsOf } from "../../core/fields.ts"
import { mediaType } from "../../core/payload.ts"
import type { Message } from "../../core/platform.ts"

/** What Slack sends: an event of the Events API, a slash command, or a click, a form, a shortcut. */
export interface Delivery {
  kind: "event" | "command" | "interaction"
  /** The sender's name: `app_mention`, `/deploy`, `block_actions`; null where there is none. */
  name: string | null
  payload: Fields
  /** The event within the envelope; of the other kinds, the payload itself. */
  event: Fields
}

export const formType = "application/x-www-form-urlencoded"

/** Tells the kinds apart by how Slack sends them: events as JSON, all else as forms. */
export function deliveryOf({ payload: body, contentType }: Message): Delivery {
  const payload = fieldsOf(body)
  if (mediaType(contentType) !== formType) {
    // An envelope holds an event; what Slack sends without one (`app_rate_limited`) is the event itself.
    const event = payload["type"] === "event_callback" ? fieldsOf(payload["event"]) : payload
    return { kind: "event", name: nameOf(event["type"]), payload, event }
  }
  if (payload["type"] === undefined) {
    return { kind: "command", name: nameOf(payload["command"]), payload, event: payload }
  }
  return { kind: "interaction", name: nameOf(payload["type"]), payload, event: payload }
}

function nameOf(value: unknown): string | null {
  return typeof value === "string" && /^[/\w][\P{Cc}]{0,127}$/u.test(value) && value.isWellFormed()
    ? value
    : null
}
