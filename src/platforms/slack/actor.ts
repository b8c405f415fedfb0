import type { Actor } from "../../core/envelope.ts"
import { fieldsOf } from "../../core/fields.ts"
import { textOrNull } from "../../core/text.ts"
import type { Delivery } from "./delivery.ts"
import { contentOf } from "./subject.ts"

/** Who did it. Slack does not say who deleted a message, so that has no actor. */
export function actorOf({ kind, payload, event }: Delivery): Actor | null {
  if (kind === "command") return person(payload["user_id"], payload["user_name"])
  if (kind === "interaction") {
    const user = fieldsOf(payload["user"])
    return person(user["id"], user["username"] ?? user["name"])
  }
  if (event["subtype"] === "message_deleted") return null
  const content = contentOf(event)
  const edited = fieldsOf(content["edited"])["user"]
  const byEditor =
    event["subtype"] === "message_changed" && edited !== undefined && edited !== content["user"]
  if (byEditor) return person(edited, null)
  const user = fieldsOf(event["user"]) // of `user_change` and `team_join` it is the user's whole record
  const bot = textOrNull(content["bot_id"], 64)
  const id =
    textOrNull(content["user"] ?? event["user"], 64) ??
    textOrNull(user["id"], 64) ??
    textOrNull(event["user_id"] ?? event["actor_id"], 64) ??
    bot
  const profile = fieldsOf(content["bot_profile"])
  const actor = person(id, content["username"] ?? profile["name"] ?? user["name"])
  const isBot = bot !== null || content["subtype"] === "bot_message" || user["is_bot"] === true
  return actor === null ? null : { ...actor, bot: isBot || actor.bot }
}

function person(id: unknown, name: unknown): Actor | null {
  const known = textOrNull(id, 64)
  if (known === null) return null
  return { id: known, name: textOrNull(name, 256) ?? known, bot: known === "USLACKBOT" }
}
