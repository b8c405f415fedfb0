import { referenceRule } from "../reference-rule.ts"

/**
 * A commit is a pull request squashed where its first line ends in `(#42)`, and merged where it begins
 * with `Merge pull request #42`. Where a number alone went to an issue's key, `same_as` leads on.
 */
export const commitMergesPullRequest = referenceRule({
  name: "commit_merges_pull_request",
  version: 1,
  reads: "`(#42)` at the end of a commit's first line, `Merge pull request #42`",
  when: {
    relation: ["squash_of", "merge_of", "queues"],
    subject: ["github:commit"],
    entity: ["github:pull_request", "github:issue"],
  },
  link: { relation: "merge_of", strength: "strong", confidence: 0.9 },
})
