import { referenceRule } from "../reference-rule.ts"

/** A pull request or commit reverts another, as its title or body says. */
export const reverts = referenceRule({
  name: "reverts",
  version: 1,
  reads: "what the title or body of a pull request or commit says it reverts",
  when: {
    relation: ["reverts"],
    subject: ["github:pull_request", "github:commit"],
    entity: ["github:pull_request", "github:issue", "github:commit"],
  },
  link: { relation: "reverts", strength: "strong", confidence: 0.95 },
})
