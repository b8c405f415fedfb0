import { referenceRule } from "../reference-rule.ts"
import { branchOfKey, isSharedBranch } from "../shared-branch.ts"

/** A branch of its own for an issue names it; a shared branch that seems to name one joins nothing. */
export const branchNamesIssue = referenceRule({
  name: "branch_names_issue",
  version: 1,
  reads: "a branch that names an issue",
  when: {
    relation: ["names"],
    subject: ["github:branch"],
    entity: ["linear:issue"],
  },
  link: {
    relation: "names",
    strength: ({ subject }) => (isSharedBranch(branchOfKey(subject ?? "")) ? "weak" : "strong"),
    weakWhere: "on a branch that much work passes through, such as `main`",
    confidence: 0.9,
    strongUpTo: 5,
  },
})
