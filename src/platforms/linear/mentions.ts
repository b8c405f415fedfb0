import { entityKey } from "../../core/entity-key.ts"
import type { KnownNames, Mention, TextField } from "../../core/platform.ts"
import { identifiersInBranch } from "./branch-mentions.ts"
import { identifiersInText } from "./text-mentions.ts"

/** Mentions kept of one text: more are a dump and no text. */
const maxMentions = 500

/**
 * Issues named by identifier in a text of any platform, each once, at its first or, where one closes it,
 * at its first closing mention. An issue that a magic word skips is not mentioned by that text at all.
 */
export function mentionsIn(
  field: TextField,
  subject: string | null,
  { teamKeys }: KnownNames = {},
): Mention[] {
  const { format, text } = field
  if (format === "url" || !/-[1-9]/.test(text)) return []
  const found =
    format === "branch"
      ? identifiersInBranch(text, teamKeys).map((one) => ({ ...one, relation: "names" }))
      : identifiersInText(text, teamKeys).map(({ word, ...one }) => ({
          ...one,
          relation: word === "skips" ? "skips" : word === "closes" ? "closes" : "mentions",
        }))
  const byEntity = new Map<string, Mention>()
  for (const { identifier, relation, start, end } of found) {
    const entity = entityKey.linearIssue(identifier)
    const known = byEntity.get(entity)
    if (known === undefined || rank(relation) > rank(known.relation)) {
      byEntity.set(entity, { entity, relation, text: text.slice(start, end), start, end })
    }
  }
  return [...byEntity.values()]
    .filter(({ entity, relation }) => relation !== "skips" && entity !== subject)
    .toSorted((one, other) => one.start - other.start)
    .slice(0, maxMentions)
}

function rank(relation: string): number {
  return relation === "skips" ? 2 : relation === "closes" ? 1 : 0
}
