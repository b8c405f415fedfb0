import { referenceRule } from "../reference-rule.ts"
import { isRevert } from "../revert.ts"
import { strengthByAuthor } from "../text-of.ts"

/** A pull request implements what its body closes by a magic word: `Closes ENG-123`, `Fixes #12`. */
export const pullRequestBodyClosesIssue = referenceRule({
  name: "pull_request_body_closes_issue",
  version: 1,
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
    confidence: 0.98,
    strongUpTo: 5,
    strongUpToInAll: 20,
  },
})
