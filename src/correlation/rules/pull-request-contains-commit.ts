import { referenceRule } from "../reference-rule.ts"

/** A pull request contains the commit at its head and, once merged, the commit it was merged as. */
export const pullRequestContainsCommit = referenceRule({
  name: "pull_request_contains_commit",
  version: 1,
  reads: "the commit at the head of a pull request, and the one it was merged as",
  when: {
    relation: ["head", "merged_as"],
    subject: ["github:pull_request"],
    entity: ["github:commit"],
  },
  link: { relation: "contains", strength: "strong", confidence: 1 },
})
