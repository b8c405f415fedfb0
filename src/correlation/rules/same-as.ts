import { referenceRule } from "../reference-rule.ts"

/** Two keys of one thing, as its platform says: a Linear issue by its identifier and by its id. */
export const sameAs = referenceRule({
  name: "same_as",
  version: 1,
  reads: "two keys of one thing, as its platform gives them",
  when: { relation: ["same_as"] },
  link: { relation: "same_as", strength: "strong", confidence: 1 },
})
