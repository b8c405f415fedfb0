import { referenceRule } from "../reference-rule.ts"

/** A check, check suite, workflow run or commit status checks its commit and the pull requests it lists. */
export const checkChecks = referenceRule({
  name: "check_checks",
  version: 1,
  reads: "the commit and the pull requests of a check, check suite, workflow run or status",
  when: { relation: ["checks"], entity: ["github:commit", "github:pull_request"] },
  link: { relation: "checks", strength: "strong", confidence: 1 },
})
