import { referenceRule } from "../reference-rule.ts"
import { branchOfKey, isSharedBranch } from "../shared-branch.ts"

/** A pull request has its head branch, strongly where the branch is not one that much work passes through. */
export const pullRequestHeadBranch = referenceRule({
  name: "pull_request_head_branch",
  version: 1,
  when: {
    relation: ["head_branch"],
    subject: ["github:pull_request"],
    entity: ["github:branch"],
  },
  link: {
    relation: "head_branch",
    strength: ({ entity }) => (isSharedBranch(branchOfKey(entity)) ? "weak" : "strong"),
    confidence: 0.95,
  },
})
