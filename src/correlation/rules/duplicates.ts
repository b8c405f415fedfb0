import { referenceRule } from "../reference-rule.ts"
import { strengthByAuthor } from "../text-of.ts"

const kinds = ["linear:issue", "linear:issue_id", "github:issue", "github:pull_request"]

/** An issue duplicates another: by Linear's relation of that name, or GitHub's line `Duplicate of #12`. */
export const duplicates = referenceRule({
  name: "duplicates",
  version: 1,
  reads: "Linear's relation, GitHub's `Duplicate of #12`",
  when: { relation: ["duplicates"], subject: kinds, entity: kinds },
  link: {
    relation: "duplicates",
    strength: strengthByAuthor,
    weakWhere: "where a program wrote the text",
    confidence: 0.95,
    strongUpTo: 1,
  },
})
