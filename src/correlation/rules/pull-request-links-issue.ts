import { referenceRule } from "../reference-rule.ts"
import { isRevert } from "../revert.ts"

/** A pull request whose title or body holds the address of a Linear issue implements it. */
export const pullRequestLinksIssue = referenceRule({
  name: "pull_request_links_issue",
  version: 1,
  on: ["github.pull_request.*"],
  when: {
    relation: ["mentions", "closes"],
    field: ["title", "body"],
    subject: ["github:pull_request"],
    entity: ["linear:issue"],
    also: ({ evidence }, { normalized }) =>
      /^https?:/i.test(evidence.text) && !isRevert(normalized.title ?? ""),
  },
  link: { relation: "implements", strength: "strong", confidence: 0.85, strongUpTo: 5 },
})
