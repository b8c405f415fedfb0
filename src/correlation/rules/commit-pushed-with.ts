import { referenceRule } from "../reference-rule.ts"

/**
 * A commit came with the head of its push: a deployment or a check of the head is one of this commit
 * too. A merge queue pushes the squashes of several pull requests at once, and deploys the last.
 */
export const commitPushedWith = referenceRule({
  name: "commit_pushed_with",
  version: 1,
  reads: "the head of the push that brought a commit",
  when: { relation: ["pushed_with"], subject: ["github:commit"], entity: ["github:commit"] },
  link: { relation: "pushed_with", strength: "strong", confidence: 0.9 },
})
