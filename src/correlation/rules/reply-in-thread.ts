import { referenceRule } from "../reference-rule.ts"

/** A reply belongs to its thread, and so does the message that began it. */
export const replyInThread = referenceRule({
  name: "reply_in_thread",
  version: 1,
  reads: "the thread of a Slack message",
  when: { relation: ["in_thread"] },
  link: { relation: "in_thread", strength: "strong", confidence: 1 },
})
