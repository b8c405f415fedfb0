import { referenceRule } from "../reference-rule.ts"
import { isRevert } from "../revert.ts"
import { strengthByAuthor } from "../text-of.ts"
import { claimedIssues } from "./claimed-issues.ts"

/** A pull request implements what its body closes by a magic word: `Closes ENG-123`, `Fixes #12`. */
export const pullRequestBodyClosesIssue = referenceRule({
  name: "pull_request_body_closes_issue",
  version: 2,
  reads: "`Fixes ENG-123`, `Closes #12` and their like in the body of a pull request; no revert's",
  when: {
    relation: ["closes"],
    field: ["body"],
    subject: ["github:pull_request"],
    entity: ["linear:issue", "github:issue"],
    also: (_, { normalized }) => !isRevert(normalized.title ?? ""),
  },
  link: {
    relation: "implements",
    strength: strengthByAuthor,
    weakWhere: "where a program wrote the text",
    confidence: 0.98,
    strongUpTo: 5,
    strongUpToInAll: 20,
    strongTogether: claimedIssues,
  },
})
