import { entityKind } from "../../core/entity-key.ts"
import type { ProposedLink, Rule } from "../rule.ts"

// Nothing to be tied to: every event of a repository would be.
const passedOver = new Set(["github:repository"])

/**
 * What no other rule made a link of gets a weak one, which joins no timeline: bare mentions in bodies and
 * comments, parents of issues. Its relation is the reference's own. It runs after all other built-in rules.
 */
export const mention: Rule = {
  name: "mention",
  version: 1,
  about: {
    reads:
      "whatever else names a thing: `ENG-123` in a body or a comment, the parent of an issue; by what the words make of it also `quotes` (in a quoted line), `may_name` (no team of that key is known), `parent` and the like",
    relation: "mentions",
    strength: "weak",
    weakWhere: null,
  },
  find: ({ references, isLinked }) =>
    references.flatMap(({ subject, document, entity, relation, evidence }): ProposedLink[] => {
      if (subject === null || isLinked(subject, entity) || passedOver.has(entityKind(entity))) return []
      return [
        {
          from: subject,
          to: entity,
          relation,
          strength: "weak",
          confidence: 0.5,
          evidence,
          ...(document === null ? {} : { document }),
        },
      ]
    }),
}
