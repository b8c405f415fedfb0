import type { ProposedLink, Rule } from "../rule.ts"

/**
 * The thing that a custom event is about has to do with another what its sender says. No other rule looks at
 * what is stated, so it is told as it was said, whatever the two things are.
 */
export const customRelates: Rule = {
  name: "custom_relates",
  version: 2,
  about: {
    reads:
      "the references that a custom event gives; by what its sender says also `implements`, `ships`, `mentions` and the like",
    relation: "relates",
    strength: "strong",
    weakWhere: "where it says `mentions`, `related`, `parent`, `blocks` or `blocked_by`",
  },
  find: ({ references }) =>
    references.flatMap(({ stated, subject, entity, evidence, document }): ProposedLink[] => {
      if (stated === undefined || subject === null) return []
      const [from, to] = stated.isReversed === true ? [entity, subject] : [subject, entity]
      return [
        {
          from,
          to,
          relation: stated.relation,
          strength: stated.strength,
          confidence: 0.95,
          evidence,
          ...(document === null ? {} : { document }),
        },
      ]
    }),
}
