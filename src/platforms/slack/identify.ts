import { bodyKey, deliveryKey } from "../../core/delivery-key.ts"
import type { Priority } from "../../core/envelope.ts"
import { SignalboxError } from "../../core/errors.ts"
import { type Fields, fieldsOf, listOf } from "../../core/fields.ts"
import type { Identity, Message } from "../../core/platform.ts"
import { type Delivery, deliveryOf } from "./delivery.ts"
import { typeOf } from "./event-type.ts"
import { stateOf } from "./state.ts"

/**
 * Events are keyed by `event_id`, which a retry repeats: a retried request is never dropped by its
 * header, as the first attempt may not have been stored. A body that names no kind was signed all the
 * same, and is taken as `slack.unknown.received`.
 */
export function identify(message: Message, body: Buffer): Identity {
  const delivery = deliveryOf(message)
  const name = delivery.name ?? "unknown"
  if (name === "url_verification") {
    throw new SignalboxError(
      "bad_request",
      "url_verification comes with a challenge of up to 1,024 characters",
    )
  }
  const key = keyOf(delivery, name)
  const state = stateOf(delivery)
  return {
    key: key === null ? bodyKey(body) : deliveryKey(key),
    name,
    type: typeOf(delivery),
    priority: priorityOf(delivery, name),
    ...(state === null ? {} : { state }),
  }
}

function keyOf({ kind, payload }: Delivery, name: string): string | null {
  if (kind === "event") {
    // The one that comes without an envelope is sent at most once a minute.
    if (name === "app_rate_limited") return join(name, payload["team_id"], payload["minute_rate_limited"])
    return join(payload["event_id"])
  }
  const view = fieldsOf(payload["view"])
  return (
    join(kind === "command" ? kind : name, payload["trigger_id"]) ??
    join(name, userId(payload), payload["action_ts"] ?? firstActionTime(payload)) ??
    join(name, view["id"], view["hash"])
  )
}

/** Null unless every part is there. */
function join(...parts: unknown[]): string | null {
  const texts = parts.map((part) => (typeof part === "number" ? String(part) : part))
  return texts.every((text) => typeof text === "string" && text !== "") ? texts.join("/") : null
}

function userId(payload: Fields): unknown {
  return fieldsOf(payload["user"])["id"]
}

/** When the first of the elements clicked was; dialogs and old buttons say it once for all. */
export function firstActionTime(payload: Fields): unknown {
  return fieldsOf(listOf(payload["actions"])[0])["action_ts"]
}

const low =
  /^(?:reaction|pin|star|emoji|dnd|user|subteam|team|email|member|channel|group|im|file|call|app_home)_/

function priorityOf({ kind }: Delivery, name: string): Priority {
  if (kind !== "event") return "high" // somebody waits before a screen
  if (name === "app_mention" || name === "function_executed" || name.startsWith("assistant_thread"))
    return "high"
  return low.test(name) ? "low" : "normal"
}
