import type { StatedLink } from "../../core/envelope.ts"
import { nearestName } from "../../core/nearest-name.ts"

/**
 * What the sender of a custom event may say that its thing has to do with another, and the link that each is.
 * docs/sending.md has the same table. What is strong makes one story of the two; whoever only wants them
 * listed with each other says one of the weak ones.
 */
export const relations: Readonly<Record<string, StatedLink>> = {
  relates: { relation: "relates", strength: "strong" },
  implements: { relation: "implements", strength: "strong" },
  ships: { relation: "ships", strength: "strong" },
  deploys: { relation: "deploys", strength: "strong" },
  checks: { relation: "checks", strength: "strong" },
  discusses: { relation: "discusses", strength: "strong" },
  reverts: { relation: "reverts", strength: "strong" },
  duplicates: { relation: "duplicates", strength: "strong" },
  same_as: { relation: "same_as", strength: "strong" },
  mentions: { relation: "mentions", strength: "weak" },
  related: { relation: "related", strength: "weak" },
  parent: { relation: "parent", strength: "weak" },
  blocks: { relation: "blocks", strength: "weak" },
  blocked_by: { relation: "blocks", strength: "weak", isReversed: true },
}

export const usualRelation = "relates"

/** The link that a word states; one of the sender's own relates the two. */
export function linkStatedBy(word: string): StatedLink {
  const usual: StatedLink = { relation: usualRelation, strength: "strong" }
  return Object.hasOwn(relations, word) ? (relations[word] ?? usual) : usual
}

/** The relation for which a word is most likely a slip: it is one letter off. */
export function slipFor(word: string): string | undefined {
  return Object.hasOwn(relations, word) ? undefined : nearestName(word, Object.keys(relations), 1)
}
