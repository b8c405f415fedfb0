import type { Link } from "../core/envelope.ts"

/** A link that other rules would add to the graph, take from it, or hold for stronger or weaker. */
export interface LinkChange {
  kind: "added" | "removed" | "changed"
  /** As it is without the other rules; absent where it is added. */
  before?: Link
  /** As it would be; absent where it is removed. */
  after?: Link
  /** How many events show it, and the first of them. */
  events: number
  eventId: string
}

/** The changes by kind, relation and strength: `added implements strong`. */
export type ChangeCounts = Record<string, number>

/** A link that is made by a rule that is not tried, and the events at which it differs all the same. */
export interface SideEffect {
  link: Link
  eventIds: readonly string[]
}

/** Compares links of event after event, and holds what it needs for that within bounds. */
export interface LinkChanges {
  /** Takes in what one event shows without and with the other rules. */
  note: (eventId: string, before: readonly Link[], after: readonly Link[]) => void
  /** What is not known to be a change before it is known whether other events show it. */
  sideEffects: () => SideEffect[]
  /** Takes in links of `sideEffects` that other events show, without the other rules and with them. */
  noteElsewhere: (links: readonly Link[]) => void
  /** What has changed so far, in the order in which it came up. */
  list: () => LinkChange[]
  /** Differences in events that are not in `list`, since it had no room for their links. */
  untold: () => number
}

interface Showing {
  before?: Link
  after?: Link
  events: number
  eventId: string
  /** The first events that show it, of a link that no rule makes which is tried. */
  eventIds?: string[]
}

const maxEventIds = 1_000

/**
 * Makes the comparison. A link is the same whichever event shows it, so that it is added only where no event
 * showed it before. Links of `rules` are followed through all events. Others differ where they depend on what
 * those make, and all that do not would be too many: they are followed where they differ, and whether other
 * events show them is to be looked up at the end.
 */
export function createLinkChanges(rules: ReadonlySet<string>, maxLinks = 50_000): LinkChanges {
  const showings = new Map<string, Showing>()
  let untold = 0

  function note(eventId: string, before: readonly Link[], after: readonly Link[]): void {
    const were = new Map(before.map((link) => [keyOf(link), link]))
    const are = new Map(after.map((link) => [keyOf(link), link]))
    for (const key of new Set([...were.keys(), ...are.keys()])) {
      const was = were.get(key)
      const is = are.get(key)
      const differs = !isAlike(was, is)
      const isTried = rules.has((was ?? is)?.rule ?? "")
      if (!differs && !isTried) continue
      const showing = showings.get(key)
      if (showing !== undefined) {
        showing.events++
        if (showing.eventIds !== undefined && showing.eventIds.length < maxEventIds) {
          showing.eventIds.push(eventId)
        }
        const best = { before: stronger(showing.before, was), after: stronger(showing.after, is) }
        if (best.before !== undefined) showing.before = best.before
        if (best.after !== undefined) showing.after = best.after
      } else if (showings.size < maxLinks) {
        showings.set(key, {
          events: 1,
          eventId,
          ...(was === undefined ? {} : { before: was }),
          ...(is === undefined ? {} : { after: is }),
          ...(isTried ? {} : { eventIds: [eventId] }),
        })
      } else if (differs) untold++
    }
  }

  function sideEffects(): SideEffect[] {
    return [...showings.values()].flatMap(({ before, after, events, eventIds }) => {
      const link = after ?? before
      // of more events than are held it is not known any more which others there are
      return link === undefined || eventIds?.length !== events ? [] : [{ link, eventIds }]
    })
  }

  function noteElsewhere(links: readonly Link[]): void {
    for (const link of links) {
      const showing = showings.get(keyOf(link))
      if (showing === undefined) continue
      showing.before = stronger(showing.before, link)
      showing.after = stronger(showing.after, link)
    }
  }

  return {
    note,
    sideEffects,
    noteElsewhere,
    list: () => [...showings.values()].flatMap(changeOf),
    untold: () => untold,
  }
}

function changeOf({ before, after, events, eventId }: Showing): LinkChange[] {
  if (isAlike(before, after)) return []
  const kind = before === undefined ? "added" : after === undefined ? "removed" : "changed"
  return [
    {
      kind,
      events,
      eventId,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    },
  ]
}

/** How many links changed in which way. */
export function countChanges(changes: readonly LinkChange[]): ChangeCounts {
  const counts: ChangeCounts = {}
  for (const { kind, before, after } of changes) {
    const link = after ?? before
    if (link === undefined) continue
    const key = `${kind} ${link.relation} ${link.strength}`
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

/** Version and words may differ: they are no difference to the graph. */
function isAlike(one: Link | undefined, other: Link | undefined): boolean {
  if (one === undefined || other === undefined) return one === other
  // the database keeps a confidence as a 4-byte float
  return one.strength === other.strength && Math.fround(one.confidence) === Math.fround(other.confidence)
}

function stronger(one: Link | undefined, other: Link): Link
function stronger(one: Link | undefined, other: Link | undefined): Link | undefined
function stronger(one: Link | undefined, other: Link | undefined): Link | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return weight(other) > weight(one) ? other : one
}

function weight({ strength, confidence }: Link): number {
  return (strength === "strong" ? 2 : 0) + confidence
}

function keyOf({ from, to, relation, rule }: Link): string {
  return `${from}\n${to}\n${relation}\n${rule}`
}
