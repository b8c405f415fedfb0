import type { Correlated } from "../core/correlate.ts"
import type { Link, StoredEvent } from "../core/envelope.ts"
import { createNormalizer } from "../core/normalize-event.ts"
import type { KnownNames, Normalized, Platform } from "../core/platform.ts"
import {
  areSuperseded,
  countWindow,
  linksOfEvents,
  linksShownElsewhere,
  type LogWindow,
  type StatedField,
} from "../store/dry-run.ts"
import { readAs, type Database } from "../store/database.ts"
import { tieOf } from "../store/entity-states.ts"
import { readHistory } from "../store/history.ts"
import { knownTeams } from "./known-teams.ts"
import { createLinkChanges, type LinkChange } from "./link-changes.ts"
import { createFaultCount, type RuleFaults } from "./rule-faults.ts"
import { stampOfLink, statesOf } from "./states-of.ts"

const turnMs = 100
const linksAtOnce = 1_000

type Rules = (event: StoredEvent, normalized: Normalized, known: KnownNames) => Correlated

export interface DryRunOptions {
  database: Database
  tenant: string
  platforms: readonly Platform[]
  /** The rules as they are, and as they would be. */
  before: Rules
  after: Rules
  /** Names of the rules that differ between the two. */
  rules: ReadonlySet<string>
  /** Those of them that `before` does not hold: what they made is taken as it is stored. */
  stored: readonly string[]
  /** What the rules that are tried say that they read. */
  selectors: readonly (Idle & { reads: (event: StoredEvent, type: string) => boolean })[]
  window: LogWindow
  /** Ends the run within moments. */
  signal: AbortSignal
  /** Events of a page (500). */
  eventsAtOnce?: number
  onProgress?: (progress: DryRunProgress) => void
}

export interface DryRunProgress {
  /** Events read, of how many. */
  events: number
  of: number
}

/** An entry of a rule's `on`. */
export interface Idle {
  rule: string
  on: string
}

/** What a run has found. */
export interface DryRun extends DryRunProgress {
  changes: LinkChange[]
  /** Differences that there was no room for. */
  untold: number
  /** Events that their platforms cannot read now. */
  unread: number
  faults: RuleFaults[]
  /** What rules say that they read, and none of the events was: that they change nothing tells nothing of them. */
  idle: Idle[]
  /** The last event's position: `after` of the run that goes on from here. */
  position: number
  /** Whether the whole window was read. */
  complete: boolean
}

/**
 * Derives the events of a window anew, in memory, by the rules as they are and as they would be, and
 * compares the links. What a later state withdrew counts on neither side. Where the link of a rule that is not
 * tried differs, and another event shows it by what is stored, it is no change. Writes nothing; holds one page of
 * events (16 MiB of bodies, or one larger body) and the links that differ.
 */
export async function dryRun(options: DryRunOptions): Promise<DryRun> {
  const {
    database,
    tenant,
    platforms,
    rules,
    stored,
    selectors,
    window,
    signal,
    eventsAtOnce = 500,
    onProgress,
  } = options
  const normalize = createNormalizer(platforms)
  const changes = createLinkChanges(rules)
  const faults = createFaultCount()
  const idle = new Set(selectors)
  const { of, known } = await readAs(database, tenant, async (db) => ({
    of: await countWindow(db, tenant, window),
    known: (await knownTeams(db, [{ event: { tenant } }])).of(tenant),
  }))
  let events = 0
  let unread = 0
  let position = window.after
  let complete = false
  while (!complete && !signal.aborted) {
    const { since, until } = window
    const page = await readAs(database, tenant, (db) =>
      readHistory(db, {
        tenant,
        filter: {},
        since,
        ...(until === undefined ? {} : { until }),
        order: "oldest",
        after: position,
        limit: eventsAtOnce,
      }),
    )
    let left = page.events
    while (left.length > 0 && !signal.aborted) {
      const done = await compareSome(left)
      position = left[done - 1]?.position ?? position
      events += done
      left = left.slice(done)
      onProgress?.({ events, of: Math.max(of, events) })
    }
    if (left.length === 0) {
      position = page.next ?? position
      complete = page.next === null
    }
  }
  const sideEffects = changes.sideEffects()
  for (let from = 0; from < sideEffects.length && !signal.aborted; from += linksAtOnce) {
    const some = sideEffects.slice(from, from + linksAtOnce)
    changes.noteElsewhere(await readAs(database, tenant, (db) => linksShownElsewhere(db, tenant, some)))
  }
  return {
    events,
    of: Math.max(of, events),
    changes: changes.list(),
    untold: changes.untold(),
    unread,
    faults: faults.list(),
    idle: events === 0 ? [] : [...idle].map(({ rule, on }) => ({ rule, on })),
    position,
    complete,
  }

  /** Compares as many as there is time for until the next turn, at which signals are heard; answers how many. */
  async function compareSome(page: readonly StoredEvent[]): Promise<number> {
    const began = performance.now()
    const shown: Showing[] = []
    let done = 0
    for (const event of page) {
      shown.push(...showing(event))
      done++
      if (performance.now() - began > turnMs) break
    }
    const fields = shown.flatMap((event) =>
      [...event.before, ...event.after].flatMap(({ stated }) => stated ?? []),
    )
    const { made, superseded } = await readAs(database, tenant, async (db) => ({
      made: await linksOfEvents(
        db,
        shown.map(({ id }) => id),
        stored,
      ),
      superseded: await areSuperseded(db, tenant, fields),
    }))
    const gone = new Set(fields.filter((_, index) => superseded[index] === true))
    const standing = (showings: readonly StampedLink[]): Link[] =>
      showings.flatMap(({ link, stated }) => (stated !== undefined && gone.has(stated) ? [] : [link]))
    for (const { id, before, after, failed } of shown) {
      const own = made.filter(({ eventId }) => eventId === id)
      const kept = own.filter(({ rule }) => failed.has(rule))
      changes.note(id, [...standing(before), ...own], [...standing(after), ...kept])
    }
    return done
  }

  function showing(event: StoredEvent): Showing[] {
    try {
      const { event: filled, normalized } = normalize(event)
      for (const selector of idle) if (selector.reads(filled, normalized.type)) idle.delete(selector)
      const states = statesOf(normalized)
      const tie = states.length === 0 ? "" : tieOf(event)
      const stated = (link: Link): StampedLink => {
        const stamp = stampOfLink(link, states, tie)
        const { document, evidence } = link
        return stamp === undefined || document === undefined
          ? { link }
          : { link, stated: { ...stamp, document, field: evidence.field } }
      }
      const { links, failures = [] } = options.after(filled, normalized, known)
      for (const failure of failures) faults.note({ eventId: event.id, ...failure })
      const failed = new Set(failures.map(({ rule }) => rule))
      const before = options.before(filled, normalized, known).links.map(stated)
      const kept = before.filter(({ link }) => failed.has(link.rule))
      return [{ id: event.id, before, after: [...links.map(stated), ...kept], failed }]
    } catch {
      unread++
      return []
    }
  }
}

/** The links of an event, by the rules as they are and as they would be. */
interface Showing {
  id: string
  before: StampedLink[]
  after: StampedLink[]
  /** Rules that threw: their links stay, as they do when the past is derived anew. */
  failed: ReadonlySet<string>
}

interface StampedLink {
  link: Link
  stated?: StatedField
}
