import { referenceRule } from "../reference-rule.ts"
import { branchOfKey, isSharedBranch } from "../shared-branch.ts"

/** A commit pushed to a branch is on it, strongly where much other work does not pass through the branch. */
export const commitOnBranch = referenceRule({
  name: "commit_on_branch",
  version: 1,
  reads: "the branch to which a commit was pushed",
  when: { relation: ["on_branch"], subject: ["github:commit"], entity: ["github:branch"] },
  link: {
    relation: "on_branch",
    strength: ({ entity }) => (isSharedBranch(branchOfKey(entity)) ? "weak" : "strong"),
    weakWhere: "on a branch that much work passes through, such as `main`",
    confidence: 0.95,
  },
})
