import { fieldsOf, listOf } from "../../core/fields.ts"
import type { Message, Normalized, TextField } from "../../core/platform.ts"
import { firstLine, textOrNull } from "../../core/text.ts"
import { webUrlOrNull } from "../../core/web-url.ts"
import { actorOf } from "./actor.ts"
import { timeOf, timeOfSeconds } from "./clock.ts"
import { type Delivery, deliveryOf } from "./delivery.ts"
import { statesOf } from "./entity-states.ts"
import { typeOf } from "./event-type.ts"
import { firstActionTime } from "./identify.ts"
import { isOwnNote } from "./own-note.ts"
import { plainText } from "./plain-text.ts"
import { contentOf, isGone, referencesOf, type Subject, subjectOf } from "./subject.ts"
import { messageTexts, sharedLinks } from "./texts.ts"
import { permalink } from "./urls.ts"

/** Reads a delivery of Slack's; whatever is missing or of another kind than expected is null. */
export function normalize(message: Message): Normalized {
  const delivery = deliveryOf(message)
  const { kind, name, event } = delivery
  const subject = subjectOf(delivery)
  const actor = actorOf(delivery)
  const text = isGone(event) ? null : textOrNull(contentOf(event)["text"])
  const texts = textsOf(delivery)
  return {
    type: typeOf(delivery),
    actor,
    entity: subject.entity,
    title: titleOf(delivery, text),
    url: urlOf(delivery, subject),
    occurredAt: occurredAt(delivery, subject) ?? message.receivedAt,
    detail: {
      kind,
      event_type: textOrNull(name, 128) ?? "unknown",
      subtype: textOrNull(event["subtype"], 64),
      team_id: subject.team,
      channel_id: subject.channel,
      user_id: actor?.id ?? null,
      ts: subject.ts,
      thread_ts: subject.threadTs,
      text,
    },
    references: referencesOf(subject),
    texts,
    states: statesOf(delivery, subject, texts),
  }
}

function textsOf(delivery: Delivery): TextField[] {
  const { kind, name, payload, event } = delivery
  if (kind === "command") return messageTexts({ text: payload["text"] })
  if (kind === "interaction" || isGone(event) || isOwnNote(delivery)) return []
  if (name === "link_shared") return sharedLinks(event["links"])
  return name === "message" || name === "app_mention" ? messageTexts(contentOf(event)) : []
}

function titleOf({ kind, name, payload, event }: Delivery, text: string | null): string | null {
  if (kind === "command") return firstLine(plainText(`${name ?? ""} ${text ?? ""}`))
  if (kind === "interaction") {
    const action = fieldsOf(listOf(payload["actions"])[0])
    const view = fieldsOf(payload["view"])
    return firstLine(
      fieldsOf(action["text"])["text"] ?? fieldsOf(view["title"])["text"] ?? payload["callback_id"] ?? name,
    )
  }
  if (isGone(event)) return "Message deleted"
  if (text !== null) return firstLine(plainText(text))
  const said = messageTexts(contentOf(event)).find(({ format }) => format === "slack")
  if (said !== undefined) return firstLine(plainText(said.text))
  const reaction = textOrNull(event["reaction"], 128)
  if (reaction !== null) return `:${reaction}:`
  return (
    firstLine(fieldsOf(event["channel"])["name"]) ?? firstLine(fieldsOf(listOf(event["links"])[0])["url"])
  )
}

/** Slack's events name no workspace by its domain; commands and interactions do. */
function urlOf({ payload, event }: Delivery, { channel, ts, threadTs }: Subject): string | null {
  const given =
    fieldsOf(fieldsOf(event["item"])["message"])["permalink"] ?? fieldsOf(event["file"])["permalink"]
  const domain = payload["team_domain"] ?? fieldsOf(payload["team"])["domain"]
  return webUrlOrNull(given) ?? permalink(domain, channel, ts, threadTs)
}

function occurredAt({ kind, payload, event }: Delivery, { ts }: Subject): Date | null {
  if (kind === "command") return null
  if (kind === "interaction") return timeOf(payload["action_ts"] ?? firstActionTime(payload))
  return timeOf(event["event_ts"]) ?? timeOf(event["ts"] ?? ts) ?? timeOfSeconds(payload["event_time"])
}
