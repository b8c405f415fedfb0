import { referenceRule } from "../reference-rule.ts"

/**
 * A commit whose first line ends in `(#42)` is pull request 42, squashed. A number alone does not tell
 * a pull request from an issue; where it goes to the key, `same_as` leads on.
 */
export const commitSquashesPullRequest = referenceRule({
  name: "commit_squashes_pull_request",
  version: 1,
  when: {
    relation: ["squash_of"],
    subject: ["github:commit"],
    entity: ["github:pull_request", "github:issue"],
  },
  link: { relation: "squash_of", strength: "strong", confidence: 0.9 },
})
