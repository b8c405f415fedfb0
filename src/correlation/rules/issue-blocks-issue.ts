import { referenceRule } from "../reference-rule.ts"

/** An issue that blocks another is work of its own, so each is listed among the other's links and has a timeline of its own. */
export const issueBlocksIssue = referenceRule({
  name: "issue_blocks_issue",
  version: 1,
  reads: "an issue that blocks another, as its tracker says",
  when: { relation: ["blocks"] },
  link: { relation: "blocks", strength: "weak", confidence: 0.95 },
})

/** The same, said from its other end. */
export const issueBlockedByIssue = referenceRule({
  name: "issue_blocked_by_issue",
  version: 1,
  reads: "the same from its other end",
  when: { relation: ["blocked_by"] },
  link: { relation: "blocks", strength: "weak", confidence: 0.95, reversed: true },
})
