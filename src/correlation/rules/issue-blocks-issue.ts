import { referenceRule } from "../reference-rule.ts"

/** An issue that blocks another is work of its own, so the two are shown at each other and not told as one. */
export const issueBlocksIssue = referenceRule({
  name: "issue_blocks_issue",
  version: 1,
  when: { relation: ["blocks"] },
  link: { relation: "blocks", strength: "weak", confidence: 0.95 },
})

/** The same, said from its other end. */
export const issueBlockedByIssue = referenceRule({
  name: "issue_blocked_by_issue",
  version: 1,
  when: { relation: ["blocked_by"] },
  link: { relation: "blocks", strength: "weak", confidence: 0.95, reversed: true },
})
