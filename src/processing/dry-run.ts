import type { Correlated } from "../core/correlate.ts"
import type { Link, StoredEvent } from "../core/envelope.ts"
import { createNormalizer } from "../core/normalize-event.ts"
import type { KnownNames, Normalized, Platform } from "../core/platform.ts"
import {
  areSuperseded,
  countWindow,
  linksOfEvents,
  type LogWindow,
  type StatedField,
} from "../store/dry-run.ts"
import { readAs, type Database } from "../store/database.ts"
import { tieOf } from "../store/entity-states.ts"
import { readHistory } from "../store/history.ts"
import { knownTeams } from "./known-teams.ts"
import { createLinkChanges, type LinkChange } from "./link-changes.ts"
import { stampOfLink, statesOf } from "./states-of.ts"

/** What rules make of an event, and which of them failed at it. */
export interface Ruled extends Correlated {
  failures: readonly { rule: string; error: unknown }[]
}

type Rules = (event: StoredEvent, normalized: Normalized, known: KnownNames) => Ruled

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
  window: LogWindow
  /** Ends the run after the page at hand. */
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

/** A rule that threw, with the first event at which it did. */
export interface RuleFaults {
  rule: string
  events: number
  eventId: string
  message: string
}

/** What a run has found. */
export interface DryRun extends DryRunProgress {
  changes: LinkChange[]
  /** Differences that there was no room for. */
  untold: number
  /** Events that their platforms cannot read now. */
  unread: number
  faults: RuleFaults[]
  /** The last event's position: `after` of the run that goes on from here. */
  position: number
  /** Whether the whole window was read. */
  complete: boolean
}

/**
 * Derives the events of a window anew, in memory, by the rules as they are and as they would be, and
 * compares the links. What a later state withdrew counts on neither side. Writes nothing; holds one page of
 * events (16 MiB of bodies, or one larger body) and the links that differ.
 */
export async function dryRun(options: DryRunOptions): Promise<DryRun> {
  const {
    database,
    tenant,
    platforms,
    rules,
    stored,
    window,
    signal,
    eventsAtOnce = 500,
    onProgress,
  } = options
  const normalize = createNormalizer(platforms)
  const changes = createLinkChanges(rules)
  const faults = new Map<string, RuleFaults>()
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
    await compare(page.events)
    events += page.events.length
    position = page.next ?? page.events.at(-1)?.position ?? position
    complete = page.next === null
    onProgress?.({ events, of: Math.max(of, events) })
  }
  return {
    events,
    of: Math.max(of, events),
    changes: changes.list(),
    untold: changes.untold(),
    unread,
    faults: [...faults.values()],
    position,
    complete,
  }

  async function compare(page: readonly StoredEvent[]): Promise<void> {
    const shown = page.flatMap(showing)
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
    const standing = (showings: readonly StatedLink[]): Link[] =>
      showings.flatMap(({ link, stated }) => (stated !== undefined && gone.has(stated) ? [] : [link]))
    for (const { id, before, after } of shown) {
      const kept = made.filter(({ eventId }) => eventId === id)
      changes.note(id, [...standing(before), ...kept], standing(after))
    }
  }

  function showing(event: StoredEvent): { id: string; before: StatedLink[]; after: StatedLink[] }[] {
    try {
      const { event: filled, normalized } = normalize(event)
      const states = statesOf(normalized)
      const tie = states.length === 0 ? "" : tieOf(event)
      const stated = (link: Link): StatedLink => {
        const stamp = stampOfLink(link, states, tie)
        const { document, evidence } = link
        return stamp === undefined || document === undefined
          ? { link }
          : { link, stated: { ...stamp, document, field: evidence.field } }
      }
      const after = options.after(filled, normalized, known)
      for (const failure of after.failures) noteFault(event.id, failure)
      const before = options.before(filled, normalized, known)
      return [{ id: event.id, before: before.links.map(stated), after: after.links.map(stated) }]
    } catch {
      unread++
      return []
    }
  }

  function noteFault(eventId: string, { rule, error }: Ruled["failures"][number]): void {
    const before = faults.get(rule)
    if (before !== undefined) before.events++
    else
      faults.set(rule, {
        rule,
        events: 1,
        eventId,
        message: error instanceof Error ? error.message : String(error),
      })
  }
}

interface StatedLink {
  link: Link
  stated?: StatedField
}
