import { referenceRule } from "../reference-rule.ts"

/** A message attached to a Linear issue discusses it: issues made from Slack carry their message so. */
export const issueAttachesMessage = referenceRule({
  name: "issue_attaches_message",
  version: 1,
  reads: "a Slack message attached to a Linear issue",
  when: {
    relation: ["attached"],
    subject: ["linear:issue", "linear:issue_id"],
    entity: ["slack:message"],
  },
  link: { relation: "discusses", strength: "strong", confidence: 0.98, reversed: true },
})
