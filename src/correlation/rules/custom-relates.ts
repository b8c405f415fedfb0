import type { ProposedLink, Rule } from "../rule.ts"

/**
 * The thing that a custom event is about has to do with another what its sender says, whatever the two things
 * are. No other rule of ours is given what is stated, so that it is told as it was said.
 */
export const customRelates: Rule = {
  name: "custom_relates",
  version: 4,
  about: {
    reads:
      "the references that a custom event gives; by what its sender says also `implements`, `ships`, `mentions` and the like",
    relation: "relates",
    strength: "strong",
    weakWhere:
      "where it says `mentions`, `related`, `parent`, `blocks`, `blocked_by` or another form or a slip of these",
  },
  readsStated: true,
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
