import { referenceRule } from "../reference-rule.ts"

/** A pull request attached to a Linear issue implements it; Linear attaches those it recognizes itself. */
export const issueAttachesPullRequest = referenceRule({
  name: "issue_attaches_pull_request",
  version: 1,
  reads: "a pull request attached to a Linear issue",
  when: {
    relation: ["attached"],
    subject: ["linear:issue", "linear:issue_id"],
    entity: ["github:pull_request"],
  },
  link: { relation: "implements", strength: "strong", confidence: 0.98, reversed: true },
})
