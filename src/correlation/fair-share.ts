import type { Reference } from "../core/envelope.ts"

// Whichever commit is pushed with its head is on the branch of the head, so it is enough that the head says so.
const spared = "on_branch"

/**
 * At most so many of an event's references, in their order. Where there are more, each field keeps an equal
 * share for each relation that it shows, and what one does not use goes to the others: the commits of a large
 * push leave room for what their messages and the branch's name say. Of things listed one after the other,
 * as commits are, the latest stay; of what is said of one thing, the first.
 */
export function fairShare(references: readonly Reference[], max: number): Reference[] {
  if (references.length <= max) return [...references]
  const kept = new Set<Reference>()
  const lists = listsOf(references).toSorted((one, other) => one.length - other.length)
  for (const [index, list] of lists.entries()) {
    const share = Math.floor((max - kept.size) / (lists.length - index))
    for (const reference of list.slice(0, share)) kept.add(reference)
  }
  for (const reference of references.filter(({ relation }) => relation === spared).toReversed()) {
    if (kept.size < max) kept.add(reference)
  }
  return references.filter((reference) => kept.has(reference))
}

/** The references by relation and field, of each list those first that are to stay. */
function listsOf(references: readonly Reference[]): Reference[][] {
  const lists = new Map<string, Reference[]>()
  for (const reference of references) {
    const { subject, relation, evidence } = reference
    const key = [relation, evidence.field, subject === undefined ? "" : "each"].join("\n")
    const list = lists.get(key) ?? []
    list.push(reference)
    lists.set(key, list)
  }
  return [...lists.values()].map((list) => {
    const ordered = list[0]?.subject === undefined ? list : list.toReversed()
    return list[0]?.relation === spared ? ordered.slice(0, 1) : ordered
  })
}
