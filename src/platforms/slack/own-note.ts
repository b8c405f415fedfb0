import { type Fields, fieldsOf, listOf } from "../../core/fields.ts"
import type { Delivery } from "./delivery.ts"
import { contentOf } from "./subject.ts"

/** Id of the block that a note of the hub's consists of: Slack keeps it, in events and in the history. */
export const noteBlock = "signalbox_note"

/** Whether a message bears the mark of a note of the hub's. */
export function isNote(message: Fields): boolean {
  return listOf(message["blocks"]).some((block) => fieldsOf(block)["block_id"] === noteBlock)
}

/**
 * Whether it is a note that this app itself has left: it bears the mark, and is from the app or the bot
 * that Slack tells of it. What the hub says refers to nothing, lest it should answer itself.
 */
export function isOwnNote({ payload, event }: Delivery): boolean {
  const message = contentOf(event)
  if (!isNote(message)) return false
  const authorization = fieldsOf(listOf(payload["authorizations"])[0])
  const byBot = authorization["is_bot"] === true && message["user"] === authorization["user_id"]
  const app = message["app_id"] ?? fieldsOf(message["bot_profile"])["app_id"]
  return byBot || (app !== undefined && app === payload["api_app_id"])
}
