import { fieldsOf } from "../../core/fields.ts"
import type { Delivery } from "./delivery.ts"
import { idOrNull, tsOrNull } from "./keys.ts"
import { contentOf, subjectOf } from "./subject.ts"

/** What Slack's history shows of a message. */
export interface MessageState {
  /** A mention of the app comes besides the message itself, as an event of its own. */
  name: "message" | "app_mention"
  team: unknown
  channel: unknown
  ts: unknown
  /** When it was edited to what it says; absent for what it said at first. */
  editedTs?: unknown
}

/** `message:T1/C1/1700000000.000100`, of an edit with `@` and its time; null unless every part is there. */
export function messageState({ name, team, channel, ts, editedTs }: MessageState): string | null {
  const place = [idOrNull(team), idOrNull(channel), tsOrNull(ts)]
  if (place.includes(null)) return null
  if (editedTs === undefined) return `${name}:${place.join("/")}`
  const edited = tsOrNull(editedTs)
  return edited === null ? null : `${name}:${place.join("/")}@${edited}`
}

/**
 * The state that an event tells of (see Identity), in words that the channel's history says as well.
 * Null where the history shows nothing of it: a preview that was added, a reply that was counted.
 */
export function stateOf(delivery: Delivery): string | null {
  const { kind, name, event } = delivery
  if (kind !== "event" || (name !== "message" && name !== "app_mention")) return null
  const { team, channel, ts } = subjectOf(delivery)
  const said = messageState({ name, team, channel, ts })
  switch (event["subtype"]) {
    case "message_changed": {
      const editedTs = fieldsOf(contentOf(event)["edited"])["ts"]
      const before = fieldsOf(fieldsOf(event["previous_message"])["edited"])["ts"]
      return editedTs === undefined || editedTs === before
        ? null
        : messageState({ name, team, channel, ts, editedTs })
    }
    case "message_deleted":
      return said === null ? null : `${said}:deleted`
    case "message_replied":
      return null
    default:
      return said
  }
}
