import { referenceRule } from "../reference-rule.ts"

/** A deployment ships the pull requests and issues that its sender lists. */
export const deploymentShips = referenceRule({
  name: "deployment_ships",
  version: 1,
  reads: "the pull requests and issues that a deployment lists",
  when: {
    relation: ["ships"],
    entity: ["github:pull_request", "github:issue", "linear:issue", "linear:issue_id"],
  },
  link: { relation: "ships", strength: "strong", confidence: 0.98 },
})
