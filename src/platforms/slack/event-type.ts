import { typeSegment } from "../../core/segment.ts"
import type { Delivery } from "./delivery.ts"

const verbs = [
  "rate_limited added removed created deleted changed change updated renamed rename opened open closed close",
  "archived archive unarchived unarchive unshared shared joined join left posted executed unpublished published",
  "uninstalled installed requested revoked granted started finished completed stopped rejected accepted",
  "approved declined received",
].flatMap((line) => line.split(" "))

/**
 * `slack.reaction.added`: the event's name divided before the verb it ends in, else with the verb
 * `received`. A message is `posted`, or what its subtype says (`changed`, `deleted`, `bot_message`).
 */
export function typeOf({ kind, name, event }: Delivery): string {
  const segment = typeSegment(name) ?? "unknown"
  if (kind === "command") return "slack.command.invoked"
  if (kind === "interaction") return `slack.interaction.${segment}`
  if (name === "message") return `slack.message.${messageVerb(event["subtype"])}`
  const verb = verbs.find((one) => segment.endsWith(`_${one}`))
  return verb === undefined
    ? `slack.${segment}.received`
    : `slack.${segment.slice(0, -(verb.length + 1)).replace(/_+$/, "")}.${verb}`
}

function messageVerb(subtype: unknown): string {
  return (typeof subtype === "string" ? typeSegment(subtype.replace(/^message_/, "")) : null) ?? "posted"
}
