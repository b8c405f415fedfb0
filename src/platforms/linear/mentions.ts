import { entityKey } from "../../core/entity-key.ts"
import type { KnownNames, Mention, TextField } from "../../core/platform.ts"
import { type FoundIdentifier, identifiersInBranch } from "./branch-mentions.ts"
import { identifiersInText } from "./text-mentions.ts"

/** Mentions kept of one text: more are a dump and no text. */
const maxMentions = 500

/**
 * Issues named by identifier in a text of any platform, each once, at its first or, where one closes it,
 * at its first closing mention. An issue that a magic word skips is not mentioned by that text at all. What
 * has no known team's key, where some are known, is at most possible: `may_name`.
 */
export function mentionsIn(
  field: TextField,
  subject: string | null,
  { teamKeys }: KnownNames = {},
): Mention[] {
  const { format, text } = field
  if (format === "url" || !/-[1-9]/.test(text)) return []
  const found = identifiersIn(field, teamKeys)
  if (teamKeys !== undefined) found.push(...ofOtherTeams(field, teamKeys))
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

interface Found extends FoundIdentifier {
  relation: string
}

function identifiersIn({ format, text }: TextField, teamKeys?: ReadonlySet<string>): Found[] {
  if (format === "branch") {
    return identifiersInBranch(text, teamKeys).map((one) => ({ ...one, relation: "names" }))
  }
  return identifiersInText(text, teamKeys).map(({ word, ...one }) => ({
    ...one,
    relation: word === "skips" ? "skips" : word === "closes" ? "closes" : "mentions",
  }))
}

/**
 * Identifiers that may be those of a team of which nothing was heard yet, as where the webhook is one team's
 * alone: in capitals, in a title, the name of a branch, or behind a closing word.
 */
function ofOtherTeams(field: TextField, teamKeys: ReadonlySet<string>): Found[] {
  if (!/[A-Z0-9]-[1-9]/.test(field.text)) return []
  return identifiersIn(field).flatMap((one): Found[] => {
    const key = one.identifier.slice(0, one.identifier.lastIndexOf("-"))
    if (teamKeys.has(key.toUpperCase()) || key !== key.toUpperCase() || one.relation === "skips") return []
    const isNamed = one.relation !== "mentions" || field.field === "title"
    return isNamed ? [{ ...one, relation: "may_name" }] : []
  })
}

function rank(relation: string): number {
  return relation === "skips" ? 2 : relation === "closes" ? 1 : 0
}
