import type { Link } from "../core/envelope.ts"
import type { LinkChange } from "./link-changes.ts"

/** What strong links do to timelines, where they are added or removed. */
export interface Joins {
  /** How many strong links come, weak ones that become strong among them. */
  added: number
  /** How many go, or become weak. */
  removed: number
  /** Things that the added ones tie together, the largest group first. */
  groups: Group[]
}

/** Things that are tied together and were not, at least by the links that are compared. */
export interface Group {
  entities: string[]
  /** How many there are, where not all are named. */
  size: number
}

const maxGroups = 100
const maxEntities = 20

/** Which things would come into one another's timelines by these changes: 100 groups, 20 things of each. */
export function joinsOf(changes: readonly LinkChange[]): Joins {
  const added = changes.filter(({ before, after }) => !isStrong(before) && isStrong(after))
  const removed = changes.filter(({ before, after }) => isStrong(before) && !isStrong(after))
  const groups = tied(added.flatMap(({ after }) => after ?? []))
    .toSorted((one, other) => other.length - one.length)
    .slice(0, maxGroups)
    .map((entities) => ({ entities: entities.slice(0, maxEntities), size: entities.length }))
  return { added: added.length, removed: removed.length, groups }
}

function isStrong(link: Link | undefined): boolean {
  return link?.strength === "strong"
}

/** The things that links connect, each group in the order in which its links come. */
function tied(links: readonly Pick<Link, "from" | "to">[]): string[][] {
  const groups = new Map<string, string[]>()
  for (const { from, to } of links) {
    const one = groups.get(from) ?? [from]
    const other = groups.get(to) ?? [to]
    const [large, small] = one.length >= other.length ? [one, other] : [other, one]
    if (large !== small) large.push(...small)
    for (const entity of large === one ? [from, ...small] : [to, ...small]) groups.set(entity, large)
  }
  return [...new Set(groups.values())]
}
