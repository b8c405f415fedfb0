import { stateOfText } from "../../core/entity-state.ts"
import type { EntityState } from "../../core/envelope.ts"
import { type Fields, fieldsOf } from "../../core/fields.ts"
import type { TextField } from "../../core/platform.ts"
import { textOrNull } from "../../core/text.ts"
import { timeOf, timeOfSeconds } from "./clock.ts"
import type { Delivery } from "./delivery.ts"
import { messageKey, thingKey } from "./keys.ts"
import { isGone, type Subject } from "./subject.ts"

/**
 * How the message, the channel or the user stood that an event shows. Its time is that of the event and
 * not `edited.ts`, which Slack cuts to the second and does not touch when it adds a preview.
 */
export function statesOf(
  delivery: Delivery,
  subject: Subject,
  texts: readonly TextField[],
): readonly EntityState[] {
  const { kind, name, event, payload } = delivery
  if (kind !== "event") return []
  const at = timeOf(event["event_ts"]) ?? timeOf(event["ts"]) ?? timeOfSeconds(payload["event_time"])
  if (at === null) return []
  switch (name) {
    case "message":
    case "app_mention":
      return [...messageStates(event, subject, texts, at), ...channelStates(event, subject, at)]
    case "link_shared":
      return messageStates(event, subject, texts, at)
    case "user_change":
    case "team_join":
      return userStates(event, subject, at)
    default:
      return channelStates(event, subject, at)
  }
}

/** The fields in which a changed message may show something, as `messageTexts` and `sharedLinks` name them. */
const nothingSaid = { text: null, link: null, unfurl: null, shared: null }

/**
 * A change shows the message whole: what it does not show is not there any more, the links listed before
 * by `link_shared` among it. Any other event shows what it shows and says nothing of the rest.
 */
function messageStates(
  event: Fields,
  { team, channel, ts }: Subject,
  texts: readonly TextField[],
  at: Date,
): EntityState[] {
  const entity = messageKey(team, channel, ts)
  if (entity === null) return []
  // A change found in the history has its time to the second, and so may seem older than the message.
  const later = new Date(Math.max(at.getTime(), (timeOf(ts)?.getTime() ?? 0) + 1))
  // A message's id is its place and time: nothing else will ever have it.
  if (isGone(event)) return [{ entity, at: later, fields: {}, deleted: true, final: true }]
  const said = fieldsOfTexts(texts)
  return event["subtype"] === "message_changed"
    ? [{ entity, at: later, fields: { ...nothingSaid, ...said } }]
    : [{ entity, at, fields: said }]
}

function fieldsOfTexts(texts: readonly TextField[]): Record<string, string | null> {
  const said = new Map<string, string>()
  for (const { field, text } of texts) {
    const before = said.get(field)
    said.set(field, before === undefined ? text : `${before}\n${text}`)
  }
  return Object.fromEntries([...said].map(([field, text]) => [field, stateOfText(text)]))
}

/** What events and the channel's own messages about itself tell: its name, what it is for, whether it is kept. */
function channelStates(event: Fields, { team, channel }: Subject, at: Date): EntityState[] {
  const entity = thingKey("channel", team, channel)
  const fields = channelFields(event)
  return entity === null || fields === null ? [] : [{ entity, at, fields }]
}

function channelFields(event: Fields): EntityState["fields"] | null {
  switch (event["subtype"] ?? event["type"]) {
    case "channel_created":
    case "channel_rename":
    case "group_rename":
      return shown("name", fieldsOf(event["channel"])["name"])
    case "channel_name":
    case "group_name":
      return shown("name", event["name"])
    case "channel_topic":
    case "group_topic":
      return { topic: stateOfText(textOrNull(event["topic"])) }
    case "channel_purpose":
    case "group_purpose":
      return { purpose: stateOfText(textOrNull(event["purpose"])) }
    case "channel_archive":
    case "group_archive":
      return { archived: true }
    case "channel_unarchive":
    case "group_unarchive":
      return { archived: false }
    default:
      return null
  }
}

/** A name as an event gives it; null where it gives none, since nothing is without a name. */
function shown(field: string, value: unknown): EntityState["fields"] | null {
  const text = stateOfText(textOrNull(value))
  return text === null ? null : { [field]: text }
}

function userStates(event: Fields, { team }: Subject, at: Date): EntityState[] {
  const user = fieldsOf(event["user"])
  const entity = thingKey("user", team, user["id"])
  if (entity === null) return []
  const realName = user["real_name"] ?? fieldsOf(user["profile"])["real_name"]
  return [{ entity, at, fields: { ...shown("name", user["name"]), ...shown("realName", realName) } }]
}
