import { referenceRule } from "../reference-rule.ts"

/** A pull request or commit reverts another, as its title or body says. */
export const reverts = referenceRule({
  name: "reverts",
  version: 1,
  when: {
    relation: ["reverts"],
    subject: ["github:pull_request", "github:commit"],
    entity: ["github:pull_request", "github:issue", "github:commit"],
  },
  link: { relation: "reverts", strength: "strong", confidence: 0.95 },
})
