import { referenceRule } from "../reference-rule.ts"

/** Somebody related two issues to each other, which says nothing of one being part of the other's story. */
export const issueRelatedToIssue = referenceRule({
  name: "issue_related_to_issue",
  version: 1,
  reads: "Linear's relation `related`",
  when: { relation: ["related"] },
  link: { relation: "related", strength: "weak", confidence: 0.9 },
})
