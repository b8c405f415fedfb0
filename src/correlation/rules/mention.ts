import { entityKind } from "../../core/entity-key.ts"
import type { ProposedLink, Rule } from "../rule.ts"

// Nothing to be tied to: every event of a repository would be.
const passedOver = new Set(["github:repository"])

/**
 * What no other rule made a link of is shown where it is mentioned, and joins no timeline: bare
 * mentions in bodies and comments, parents of issues. It runs after all other built-in rules.
 */
export const mention: Rule = {
  name: "mention",
  version: 1,
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
