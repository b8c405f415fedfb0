import { referenceRule } from "../reference-rule.ts"
import { isRevert } from "../revert.ts"
import { claimedIssues } from "./claimed-issues.ts"

/** A pull request whose title names an issue implements it, unless it reverts the one that did. */
export const pullRequestTitleNamesIssue = referenceRule({
  name: "pull_request_title_names_issue",
  version: 2,
  reads: "the title of a pull request that names an issue; no revert's",
  when: {
    relation: ["mentions", "closes"],
    field: ["title"],
    subject: ["github:pull_request"],
    entity: ["linear:issue"],
    also: (_, { normalized }) => !isRevert(normalized.title ?? ""),
  },
  link: {
    relation: "implements",
    strength: "strong",
    confidence: 0.9,
    strongUpTo: 5,
    strongUpToInAll: 20,
    strongTogether: claimedIssues,
  },
})
