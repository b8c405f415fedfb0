import { referenceRule } from "../reference-rule.ts"
import { isRevert } from "../revert.ts"

/** A pull request from a branch that names an issue implements it: Linear's own branch names do. */
export const pullRequestBranchNamesIssue = referenceRule({
  name: "pull_request_branch_names_issue",
  version: 2,
  reads: "the head branch of a pull request that names an issue; no revert's",
  when: {
    relation: ["names"],
    field: ["branch"],
    subject: ["github:pull_request"],
    entity: ["linear:issue"],
    also: (_, { normalized }) => !isRevert(normalized.title ?? ""),
  },
  link: { relation: "implements", strength: "strong", confidence: 0.95, strongUpTo: 5 },
})
