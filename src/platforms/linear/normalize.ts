import { inFieldsOf } from "../../core/entity-state.ts"
import type { Actor } from "../../core/envelope.ts"
import { type Fields, fieldsOf, isFields } from "../../core/fields.ts"
import type { Message, Normalized, TextField } from "../../core/platform.ts"
import { firstLine, proseOrNull, textOrNull } from "../../core/text.ts"
import { timeOrNull, unixTimeOrNull } from "../../core/time.ts"
import { webUrlOrNull } from "../../core/web-url.ts"
import { typeOf } from "./identify.ts"
import { statesBeside, stateOfThing } from "./states.ts"
import { identifierOfEntity, keyOfThing, subjectOf } from "./subject.ts"
import { teamKeysOf } from "./team-keys.ts"
import { updatedFrom } from "./updated-from.ts"

/** Reads a Linear webhook; whatever is missing or of another kind than expected is null. */
export function normalize(message: Message): Normalized {
  const payload = fieldsOf(message.payload)
  const data = dataOf(payload)
  const { entity, references } = subjectOf(payload["type"], data, payload["url"])
  const state = stateOfThing(payload, data) ?? undefined
  const beside = statesBeside(payload, data)
  const texts = payload["action"] === "remove" ? [] : textsOf(payload, data)
  return {
    type: typeOf(payload),
    actor: actorOf(payload, data),
    entity,
    title: titleOf(data),
    url: urlOf(payload, data),
    occurredAt: occurredAt(payload, data) ?? message.receivedAt,
    detail: {
      action: textOrNull(payload["action"], 64) ?? "unknown",
      model: textOrNull(payload["type"], 64) ?? "unknown",
      organization_id: textOrNull(payload["organizationId"], 64),
      webhook_id: textOrNull(payload["webhookId"], 64),
      model_id: textOrNull(data["id"], 64),
      identifier: identifierOfEntity(entity),
      team_key: textOrNull(fieldsOf(data["team"])["key"] ?? fieldsOf(issueOf(data)["team"])["key"], 16),
      state: stateOf(data),
      updated_from: updatedFrom(payload["updatedFrom"]),
    },
    references: inFieldsOf(state, references, ({ evidence }) => evidence.field),
    texts: inFieldsOf(state, texts, ({ field }) => field),
    states: state === undefined ? beside : [state, ...beside],
    teamKeys: teamKeysOf(payload["type"], data),
  }
}

/** The thing itself: `data`, but in three kinds of webhook a member of its own name. */
function dataOf(payload: Fields): Fields {
  const holders = [payload["data"], payload["issueData"], payload["agentSession"], payload["notification"]]
  return fieldsOf(holders.find(isFields))
}

function issueOf(data: Fields): Fields {
  return fieldsOf(data["issue"])
}

/** The envelope's actor; payloads from before it had one name their author in `data`. */
function actorOf(payload: Fields, data: Fields): Actor | null {
  for (const value of [payload["actor"], data["actor"], data["user"], data["creator"]]) {
    const actor = fieldsOf(value)
    const id = textOrNull(actor["id"], 128)
    if (id === null) continue
    const name = textOrNull(actor["name"], 256) ?? textOrNull(actor["service"], 256) ?? id
    return { id, name, bot: /^(?:oauthclient|integration|bot|app)/i.test(textOrNull(actor["type"]) ?? "") }
  }
  return null
}

function titleOf(data: Fields): string | null {
  const comment = fieldsOf(data["comment"])
  return (
    firstLine(data["title"]) ??
    firstLine(data["name"]) ??
    firstLine(data["body"]) ??
    firstLine(data["emoji"]) ??
    firstLine(comment["body"]) ??
    firstLine(issueOf(data)["title"])
  )
}

/** The page of the event; an attachment's own `url` is where it points, not where it is shown. */
function urlOf(payload: Fields, data: Fields): string | null {
  const fromData = payload["type"] === "Attachment" ? null : webUrlOrNull(data["url"])
  return webUrlOrNull(payload["url"]) ?? fromData ?? webUrlOrNull(issueOf(data)["url"])
}

/**
 * An update happened when the thing says it was updated. Anything else happened when the envelope was
 * made: a removed thing's `updatedAt` is from before its removal, that of an SLA's issue from any time.
 */
function occurredAt(payload: Fields, data: Fields): Date | null {
  const updated = timeOrNull(data["updatedAt"])
  const created = timeOrNull(payload["createdAt"])
  const first = payload["action"] === "update" ? (updated ?? created) : (created ?? updated)
  return first ?? unixTimeOrNull(payload["webhookTimestamp"])
}

function stateOf(data: Fields): string | null {
  for (const value of [data["state"], data["status"]]) {
    const state = textOrNull(value, 128) ?? textOrNull(fieldsOf(value)["name"], 128)
    if (state !== null) return state
  }
  return null
}

function textsOf(payload: Fields, data: Fields): TextField[] {
  const comment = fieldsOf(data["comment"])
  const activity = fieldsOf(payload["agentActivity"])
  const texts: TextField[] = []
  const add = (
    field: string,
    format: TextField["format"],
    value: unknown,
    document?: string | null,
  ): void => {
    const text = proseOrNull(value)
    if (text !== null) texts.push({ field, format, text, ...(document ? { document } : {}) })
  }
  if (payload["type"] === "Attachment") {
    // Title and subtitle are those of the page that it points to, and would speak for the issue.
    add("attachment", "url", webUrlOrNull(data["url"]))
    return texts
  }
  add("title", "plain", data["title"])
  add("body", "markdown", data["description"])
  add("content", "markdown", data["content"])
  add("body", "markdown", data["body"])
  add("body", "markdown", comment["body"], keyOfThing("Comment", comment["id"]))
  add("body", "markdown", fieldsOf(activity["content"])["body"], keyOfThing("AgentActivity", activity["id"]))
  return texts
}
