import type { StatedLink } from "../../core/envelope.ts"
import { isSlipOf } from "../../core/nearest-name.ts"
import { isOwnThing } from "./own-thing.ts"

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

const usual: StatedLink = { relation: usualRelation, strength: "strong" }
const distant: StatedLink = { relation: "related", strength: "weak" }
const weakWords = Object.entries(relations)
  .filter(([, { strength }]) => strength === "weak")
  .map(([word]) => ({ word, stem: word.replace(/s$/, "") }))

/**
 * The link that a word states of two things. One of the sender's own relates the two, unless it begins like
 * one of the weak (`related_to`, `blocked`) or is a slip of one (`realted`): a form of a word that ties no stories
 * together must not do so.
 */
export function linkStatedBy(word: string, ends: readonly (string | null | undefined)[]): StatedLink {
  if (foreignEnd(word, ends) !== undefined) return usual
  const known = Object.hasOwn(relations, word) ? relations[word] : undefined
  if (known !== undefined) return known
  return weakWords.some((weak) => word.startsWith(weak.stem) || isSlipOf(word, weak.word)) ? distant : usual
}

/**
 * Of two things that are said to be one, that of another platform, if there is one: what the sender tells of its
 * own thing would be told of that, which is for its platform alone to tell.
 */
export function foreignEnd(word: string, ends: readonly (string | null | undefined)[]): string | undefined {
  if (word !== "same_as") return undefined
  return ends.find((end) => typeof end === "string" && !isOwnThing(end)) ?? undefined
}
