import { referenceRule } from "../reference-rule.ts"

/** A deployment deploys its commit, by the full SHA that its sender gives. */
export const deploymentDeploysCommit = referenceRule({
  name: "deployment_deploys_commit",
  version: 1,
  reads: "the commit of a deployment",
  when: { relation: ["deploys"], entity: ["github:commit"] },
  link: { relation: "deploys", strength: "strong", confidence: 1 },
})
