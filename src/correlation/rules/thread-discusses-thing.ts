import { entityKey } from "../../core/entity-key.ts"
import type { Rule } from "../rule.ts"
import { messageLinksThing } from "./message-links-thing.ts"

/**
 * A thread discusses what any of its messages does, as surely as that message does, and for as long. What a
 * message in no thread discusses, the thread does that it may begin: its event will not be told again when
 * the first answer comes.
 */
export const threadDiscussesThing: Rule = {
  name: "thread_discusses_thing",
  version: 2,
  about: {
    reads: "what any message of a Slack thread holds the address of",
    relation: "discusses",
    strength: "strong",
    weakWhere: messageLinksThing.about?.weakWhere ?? null,
  },
  find: (input) => {
    const threads = new Map(
      input.references
        .filter(({ relation }) => relation === "in_thread")
        .map(({ subject, entity }) => [subject, entity]),
    )
    return messageLinksThing.find(input).map((link) => {
      const message = link.from ?? ""
      return { ...link, from: threads.get(message) ?? entityKey.slackThread(message) }
    })
  },
}
