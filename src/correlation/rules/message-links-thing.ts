import { referenceRule } from "../reference-rule.ts"

/** A Slack message discusses what it holds the address of. A digest of many is only shown at each. */
export const messageLinksThing = referenceRule({
  name: "message_links_thing",
  version: 1,
  reads: "an address in a Slack message",
  when: {
    relation: ["mentions", "closes", "attached"],
    subject: ["slack:message"],
    entity: [
      "github:pull_request",
      "github:issue",
      "github:commit",
      "linear:issue",
      "linear:issue_id",
      "deployment",
    ],
    also: ({ evidence }) => /^https?:/i.test(evidence.text),
  },
  link: { relation: "discusses", strength: "strong", confidence: 0.95, strongUpTo: 10 },
})
