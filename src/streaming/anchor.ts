import type { LoggedEvent } from "../core/envelope.ts"
import type { Filter } from "../core/filter.ts"
import { foldSelection, type Selection } from "../core/selection.ts"

const kinds = ["entity", "where", "actor", "type", "source", "platform", "priority", "anything"] as const

/**
 * What of a filter tells soonest that an event is not for it: an event that has none of these values cannot
 * belong to it. One that has still may not.
 */
export interface Anchor {
  kind: (typeof kinds)[number]
  /** Of `where`: the path whose values these are. */
  path?: string
  values: readonly string[]
}

/** The anchors of a selection, by one of which each of its events is found; those that are likely to spare most. */
export function anchorsOf(selection: Selection): readonly Anchor[] {
  return foldSelection<readonly Anchor[]>(selection, {
    filter: (filter) => mostTelling(anchorsOfFilter(filter).map((anchor) => [anchor])),
    all: mostTelling,
    any: (parts) => parts.flat(),
  })
}

/** Of several ways to find the same, the one whose worst anchor is the best. */
function mostTelling(ways: readonly (readonly Anchor[])[]): readonly Anchor[] {
  const rank = (way: readonly Anchor[]): number => Math.max(-1, ...way.map(({ kind }) => kinds.indexOf(kind)))
  const size = (way: readonly Anchor[]): number => way.reduce((sum, { values }) => sum + values.length, 0)
  const [best] = ways.toSorted((a, b) => rank(a) - rank(b) || size(a) - size(b))
  return best ?? [{ kind: "anything", values: [""] }]
}

function anchorsOfFilter({ entities, where, actors, types, sources, platforms, priority }: Filter): Anchor[] {
  const found: Anchor[] = []
  if (entities !== undefined) found.push({ kind: "entity", values: entities })
  found.push(...equalities(where ?? {}))
  if (actors !== undefined) found.push({ kind: "actor", values: actors })
  const prefixes = types?.map(literalPrefix) ?? []
  if (prefixes.length > 0 && !prefixes.includes("")) found.push({ kind: "type", values: prefixes })
  if (sources !== undefined) found.push({ kind: "source", values: sources })
  if (platforms !== undefined) found.push({ kind: "platform", values: platforms })
  if (priority !== undefined) found.push({ kind: "priority", values: priority })
  return found
}

/** The conditions that want one of some values at a path. */
function equalities(where: NonNullable<Filter["where"]>): Anchor[] {
  return Object.entries(where).flatMap(([path, condition]) => {
    if (path.startsWith("$") || typeof condition !== "object" || condition === null) return []
    const wanted = "$in" in condition ? condition["$in"] : "$eq" in condition ? [condition["$eq"]] : undefined
    return Array.isArray(wanted)
      ? [{ kind: "where" as const, path, values: wanted.map((value) => JSON.stringify(value)) }]
      : []
  })
}

/** The segments of a pattern before the first with a star. */
function literalPrefix(pattern: string): string {
  const segments = pattern.split(".")
  const star = segments.findIndex((segment) => segment.includes("*"))
  return segments.slice(0, star === -1 ? segments.length : star).join(".")
}

/** The values by which an event is found at anchors of each kind; those of paths apart. */
export const anchorValues: Readonly<
  Record<Exclude<Anchor["kind"], "where">, (event: LoggedEvent) => readonly string[]>
> = {
  entity: ({ entity, references }) => [
    ...(entity === null ? [] : [entity]),
    ...references.map((found) => found.entity),
  ],
  actor: ({ actor }) => (actor === null ? [] : [actor.id, actor.name]),
  type: ({ type }) => prefixesOf(type),
  source: ({ source }) => [source],
  platform: ({ platform }) => [platform],
  priority: ({ priority }) => [priority],
  anything: () => [""],
}

/** `github`, `github.push`, `github.push.pushed`. */
function prefixesOf(type: string): string[] {
  const segments = type.split(".")
  return segments.map((_, index) => segments.slice(0, index + 1).join("."))
}
