import { referenceRule } from "../reference-rule.ts"

/** A commit is another one picked onto a further branch, as `git cherry-pick -x` notes it; a release's fixes are. */
export const cherryPicks = referenceRule({
  name: "cherry_picks",
  version: 1,
  when: {
    relation: ["cherry_picks"],
    subject: ["github:commit", "github:pull_request"],
    entity: ["github:commit", "github:pull_request"],
  },
  link: { relation: "cherry_picks", strength: "strong", confidence: 0.95, strongUpTo: 10 },
})
