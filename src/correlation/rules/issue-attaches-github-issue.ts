import { referenceRule } from "../reference-rule.ts"

/** A GitHub issue attached to a Linear issue belongs to it; issues kept in step by Linear are. */
export const issueAttachesGithubIssue = referenceRule({
  name: "issue_attaches_github_issue",
  version: 1,
  reads: "a GitHub issue attached to a Linear issue, or kept in step with it",
  when: {
    relation: ["attached"],
    subject: ["linear:issue", "linear:issue_id"],
    entity: ["github:issue"],
  },
  link: { relation: "attached", strength: "strong", confidence: 0.9, reversed: true },
})
