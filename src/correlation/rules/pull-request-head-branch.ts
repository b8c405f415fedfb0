import { referenceRule } from "../reference-rule.ts"
import { branchOfKey, isSharedBranch } from "../shared-branch.ts"

/** A pull request has its head branch, strongly where the branch is not one that much work passes through. */
export const pullRequestHeadBranch = referenceRule({
  name: "pull_request_head_branch",
  version: 1,
  reads: "the head branch of a pull request",
  when: {
    relation: ["head_branch"],
    subject: ["github:pull_request"],
    entity: ["github:branch"],
  },
  link: {
    relation: "head_branch",
    strength: ({ entity }) => (isSharedBranch(branchOfKey(entity)) ? "weak" : "strong"),
    weakWhere: "on a branch that much work passes through, such as `main`",
    confidence: 0.95,
  },
})
