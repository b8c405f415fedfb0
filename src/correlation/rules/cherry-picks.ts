import { referenceRule } from "../reference-rule.ts"

/** A commit, or a backport of a pull request, is another one picked onto a further branch, as its text says. */
export const cherryPicks = referenceRule({
  name: "cherry_picks",
  version: 1,
  reads: "what a commit or a backport says it was picked from",
  when: {
    relation: ["cherry_pick_of"],
    subject: ["github:commit", "github:pull_request"],
    entity: ["github:commit", "github:pull_request", "github:issue"],
  },
  link: { relation: "cherry_picks", strength: "strong", confidence: 0.95, strongUpTo: 10 },
})
