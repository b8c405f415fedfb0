import { referenceRule } from "../reference-rule.ts"

/** The thing that a custom event is about relates to what its sender says it refers to. */
export const customRelates = referenceRule({
  name: "custom_relates",
  version: 1,
  reads: "the references that a custom event gives",
  when: {
    also: ({ subject, entity }, { event, normalized, isLinked }) =>
      event.platform === "custom" &&
      subject !== null &&
      normalized.references.some((given) => given.entity === entity) &&
      !isLinked(subject, entity),
  },
  link: { relation: "relates", strength: "strong", confidence: 0.95 },
})
