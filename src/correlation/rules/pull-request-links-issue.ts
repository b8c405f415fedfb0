import { referenceRule } from "../reference-rule.ts"
import { isRevert } from "../revert.ts"
import { strengthByAuthor } from "../text-of.ts"
import { claimedIssues } from "./claimed-issues.ts"

/** A pull request whose title or body holds the address of a Linear issue implements it. */
export const pullRequestLinksIssue = referenceRule({
  name: "pull_request_links_issue",
  version: 2,
  reads: "the address of a Linear issue in the title or body of a pull request; no revert's",
  when: {
    relation: ["mentions", "closes"],
    field: ["title", "body"],
    subject: ["github:pull_request"],
    entity: ["linear:issue"],
    also: ({ evidence }, { normalized }) =>
      /^https?:/i.test(evidence.text) && !isRevert(normalized.title ?? ""),
  },
  link: {
    relation: "implements",
    strength: strengthByAuthor,
    weakWhere: "where a program wrote the text",
    confidence: 0.85,
    strongUpTo: 5,
    strongUpToInAll: 20,
    strongTogether: claimedIssues,
  },
})
