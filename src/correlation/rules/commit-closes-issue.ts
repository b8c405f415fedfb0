import { referenceRule } from "../reference-rule.ts"
import { isRevert } from "../revert.ts"
import { textOf } from "../text-of.ts"

/** A commit implements what its message closes by a magic word, unless it reverts the commit that did. */
export const commitClosesIssue = referenceRule({
  name: "commit_closes_issue",
  version: 2,
  reads: "`Fixes ENG-123`, `Closes #12` in a commit's message; no revert's",
  when: {
    relation: ["closes"],
    subject: ["github:commit"],
    entity: ["linear:issue", "github:issue"],
    also: (reference, { normalized }) => !isRevert(textOf(reference, normalized)?.text ?? ""),
  },
  link: { relation: "implements", strength: "strong", confidence: 0.9, strongUpTo: 5 },
})
