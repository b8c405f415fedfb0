import type { Evidence, Reference } from "../../core/envelope.ts"
import { type Fields, fieldsOf, listOf } from "../../core/fields.ts"
import type { Delivery } from "./delivery.ts"
import { idOrNull, messageKey, thingKey, threadKey, tsOrNull } from "./keys.ts"

/** What a delivery is about, and where that is. */
export interface Subject {
  team: string | null
  channel: string | null
  /** Of the message concerned, and of the message that began its thread. */
  ts: string | null
  threadTs: string | null
  entity: string | null
}

/** Finds the message concerned, else the file, view, channel, group or user. */
export function subjectOf(delivery: Delivery): Subject {
  const { kind, event } = delivery
  const team = teamOf(delivery)
  const { channel, ts, threadTs } = placeOf(event)
  const item = fieldsOf(event["item"])
  const file = event["file_id"] ?? idIn(event["file"]) ?? idIn(item["file"])
  return {
    team,
    channel: idOrNull(channel),
    ts: tsOrNull(ts),
    threadTs: tsOrNull(threadTs),
    entity:
      messageKey(team, channel, ts) ??
      thingKey("file", team, file) ??
      (kind === "interaction" ? thingKey("view", team, idIn(event["view"])) : null) ??
      thingKey("channel", team, channel) ??
      thingKey("subteam", team, event["subteam_id"] ?? idIn(event["subteam"])) ??
      thingKey("user", team, idIn(event["user"]) ?? event["user_id"]),
  }
}

/** The id of a thing that Slack writes either whole or as its id alone. */
function idIn(value: unknown): unknown {
  return typeof value === "string" ? value : fieldsOf(value)["id"]
}

/**
 * Structure that a message shows: the thread that it belongs to, and that the message which began the
 * thread does, of which we may never see an event; a root tells so itself once it has been answered. And
 * since its permalink names no team, while channel ids are unique over all of them, each of the two is the
 * `same_as` the key that its permalink leads to. Whatever comes first, both keys end up as one thing.
 */
export function referencesOf({ team, channel, ts, threadTs }: Subject): Reference[] {
  const message = messageKey(team, channel, ts)
  if (message === null) return []
  const own = sameAnywhere(message, messageKey(null, channel, ts), { field: "ts", text: ts ?? "" })
  const thread = threadKey(team, channel, threadTs)
  const root = messageKey(team, channel, threadTs)
  if (thread === null || root === null) return own
  const evidence = { field: "thread_ts", text: threadTs ?? "" }
  const belongs: Reference = { entity: thread, relation: "in_thread", evidence }
  if (root === message) return [...own, belongs]
  const rootAnywhere = messageKey(null, channel, threadTs)
  const roots = [belongs, ...sameAnywhere(root, rootAnywhere, evidence)]
  return [...own, belongs, ...roots.map((reference) => ({ ...reference, subject: root }))]
}

function sameAnywhere(key: string, anywhere: string | null, evidence: Evidence): Reference[] {
  return anywhere === null || anywhere === key ? [] : [{ entity: anywhere, relation: "same_as", evidence }]
}

/** The message itself: nested where an event is about a change to it. */
export function contentOf(event: Fields): Fields {
  switch (event["subtype"]) {
    case "message_changed":
    case "message_replied":
      return fieldsOf(event["message"])
    case "message_deleted":
      return fieldsOf(event["previous_message"])
    default:
      return event
  }
}

/** A deleted message, and a thread's root of which Slack keeps a tombstone, say nothing any more. */
export function isGone(event: Fields): boolean {
  return event["subtype"] === "message_deleted" || contentOf(event)["subtype"] === "tombstone"
}

/** In Grid an installation spans workspaces; then `team_id` may be absent and the authorization tells. */
function teamOf({ payload, event }: Delivery): string | null {
  const authorization = fieldsOf(listOf(payload["authorizations"])[0])
  const candidates = [
    payload["team_id"],
    fieldsOf(payload["team"])["id"],
    authorization["team_id"],
    event["team"],
    fieldsOf(payload["user"])["team_id"],
    authorization["enterprise_id"],
    payload["enterprise_id"],
    fieldsOf(payload["enterprise"])["id"],
  ]
  return candidates.map(idOrNull).find((id) => id !== null) ?? null
}

interface Place {
  channel: unknown
  ts: unknown
  threadTs?: unknown
}

function placeOf(event: Fields): Place {
  const channel = idIn(event["channel"]) ?? event["channel_id"]
  const item = fieldsOf(event["item"]) // of reactions, pins and stars
  const container = fieldsOf(event["container"]) // of interactions
  const thread = fieldsOf(event["assistant_thread"])
  const message = fieldsOf(event["message"]) // of interactions
  const content = contentOf(event)
  switch (event["type"]) {
    case "message":
    case "app_mention":
      return { channel, ts: event["deleted_ts"] ?? content["ts"], threadTs: content["thread_ts"] }
    case "link_shared":
    case "message_metadata_posted":
    case "message_metadata_updated":
    case "message_metadata_deleted":
      // While a message is being written, `message_ts` is the id of a draft and no timestamp.
      return { channel, ts: event["message_ts"], threadTs: event["thread_ts"] }
    case "assistant_thread_started":
    case "assistant_thread_context_changed":
      return { channel: thread["channel_id"], ts: thread["thread_ts"] }
    case "block_actions":
    case "block_suggestion":
    case "message_action":
    case "interactive_message":
      return {
        channel: channel ?? container["channel_id"],
        ts: event["message_ts"] ?? container["message_ts"] ?? message["ts"],
        threadTs: message["thread_ts"] ?? container["thread_ts"],
      }
    default:
      return {
        channel: item["channel"] ?? channel,
        ts: item["ts"] ?? fieldsOf(item["message"])["ts"],
        threadTs: fieldsOf(item["message"])["thread_ts"],
      }
  }
}
