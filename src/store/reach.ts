import { groundOf, maxTopics } from "../core/relation.ts"
import { strongEdges, type AsOf, type Edge, type Neighbour } from "./correlations.ts"
import type { Db } from "./database.ts"

/** Bounds of a walk. */
export interface ReachLimits {
  /** Entities reached, the first included (2,000). */
  maxEntities?: number
  /** Strong edges followed out of, and into, one entity (1,000). */
  maxFanOut?: number
}

/** A walk's bounds, and the time whose knowledge it goes by: now where absent. */
export interface ReachOptions extends ReachLimits {
  asOf?: AsOf
}

/** What strong links reach from an entity. */
export interface Reach {
  /** Each entity, nearest first, with the edges that lead to it from the first; none for the first itself. */
  entities: ReadonlyMap<string, readonly Edge[]>
  /** Every strong edge met whose two ends were both reached. */
  edges: readonly Edge[]
  /** Whether a bound cut the walk short. */
  truncated: boolean
}

// A walk goes down to the grounds of things, and from there up to what stands on them (see
// core/relation.ts). Who has been reached going down can be left either way, and so counts for more.
type Phase = "down" | "up"

const entitiesAtOnce = 100

/**
 * Walks the strong links from an entity, breadth first: down to what it stands on, then up to all that
 * stands on that. Cycles end where they meet what was reached before. The outcome depends on the graph
 * alone, not on the order in which it was written.
 */
export async function reach(
  db: Db,
  tenant: string,
  entity: string,
  { maxEntities = 2000, maxFanOut = 1000, asOf = null }: ReachOptions = {},
): Promise<Reach> {
  const paths = new Map<string, readonly Edge[]>([[entity, []]])
  const phases = new Map<string, Phase>([[entity, "down"]])
  const met = new Map<string, Edge>()
  let truncated = false
  let frontier = [entity]
  while (frontier.length > 0) {
    const next = new Set<string>()
    for (let first = 0; first < frontier.length; first += entitiesAtOnce) {
      const batch = frontier.slice(first, first + entitiesAtOnce)
      const neighbours = await strongEdges(db, tenant, batch, maxFanOut + 1, asOf)
      const digests = digestsAmong(neighbours)
      for (const [neighbour, cut] of withinFanOut(neighbours, maxFanOut)) {
        truncated ||= cut
        if (cut) continue
        met.set(edgeKey(neighbour), edgeOf(neighbour))
        const phase = phases.get(neighbour.at) ?? "up"
        if (phase === "up" && neighbour.relation === "in_thread" && digests.has(neighbour.at)) continue
        const step = stepAlong(neighbour, phase)
        if (step === null) continue
        const known = phases.get(step.to)
        if (known === "down" || known === step.phase) continue
        if (known === undefined && phases.size >= maxEntities) {
          truncated = true
          continue
        }
        phases.set(step.to, step.phase)
        next.add(step.to) // again, if it had been reached going up only
        if (known === undefined) paths.set(step.to, [...(paths.get(neighbour.at) ?? []), edgeOf(neighbour)])
      }
    }
    frontier = [...next]
  }
  const edges = [...met.values()].filter(({ from, to }) => paths.has(from) && paths.has(to))
  return { entities: paths, edges, truncated }
}

function stepAlong(edge: Neighbour, phase: Phase): { to: string; phase: Phase } | null {
  const outgoing = edge.at === edge.from
  const to = outgoing ? edge.to : edge.from
  const ground = groundOf(edge.relation)
  if (ground === "both") return { to, phase }
  const goesDown = (ground === "to") === outgoing
  if (goesDown) return phase === "down" ? { to, phase } : null
  return { to, phase: "up" }
}

/** The threads that are about too much to be told whole at each of it (see `maxTopics`). */
function digestsAmong(neighbours: readonly Neighbour[]): Set<string> {
  const topics = new Map<string, number>()
  for (const { at, from, relation } of neighbours) {
    if (relation === "discusses" && at === from) topics.set(at, (topics.get(at) ?? 0) + 1)
  }
  return new Set([...topics].flatMap(([at, count]) => (count > maxTopics ? [at] : [])))
}

/** Marks what is past the bound of its entity and side. */
function* withinFanOut(
  neighbours: readonly Neighbour[],
  maxFanOut: number,
): Generator<[neighbour: Neighbour, cut: boolean]> {
  let place = ""
  let count = 0
  for (const neighbour of neighbours) {
    const here = `${neighbour.at}\n${neighbour.at === neighbour.from}`
    count = here === place ? count + 1 : 1
    place = here
    yield [neighbour, count > maxFanOut]
  }
}

/** Tells edges apart. */
export function edgeKey({ from, to, relation }: Edge): string {
  return `${from}\n${to}\n${relation}`
}

function edgeOf({ from, to, relation }: Neighbour): Edge {
  return { from, to, relation }
}
