import { setTimeout } from "node:timers/promises"
import type { Log } from "../core/log.ts"
import { backoffMs } from "./alarm.ts"
import { entriesPast, toEntry, type Entry } from "./entry.ts"
import type { Feed } from "./feed.ts"
import type { History } from "./history.ts"
import type { View } from "./view.ts"

/** A stretch of a view, from the ring or the store; `release` it when its entries are handed on. */
export interface Stretch {
  entries: Entry[]
  release: () => void
}

/** A place in the log from which somebody pulls a view at a pace of their own. */
export interface LogCursor {
  /** Everything up to here has been pulled. */
  readonly position: number
  /** Whether there is nothing between it and what the feed tells next. */
  atFeed(): boolean
  /**
   * Pulls the next stretch, of no more entries than `most`. It may hold none: where the filter let none pass, or
   * after a wait, for the feed or for the database, whose absence it outlasts.
   */
  pull(most?: number): Promise<Stretch>
}

export interface LogCursorOptions {
  feed: Feed
  history: History
  log: Log
  view: View
  /** Who reads (the process itself): owners share what all may hold in memory. */
  owner?: string
  after: number
  /** What lies up to here is told as a gap (0, nothing). */
  floor?: number
  /** Hand out events as they were received, which the tail does not tell (false). */
  whole?: boolean
}

const ringEntries = 256

/** Makes a cursor behind `after`. */
export function createLogCursor(options: LogCursorOptions): LogCursor {
  const { feed, history, log, view, owner = "process", after, floor = 0, whole = false } = options
  let position = after
  let failures = 0

  function fromRing(most: number): Stretch | null {
    const recent = feed.recent(position, ringEntries)
    const last = recent?.at(-1)
    if (recent === null || last === undefined) return null
    if (whole && recent.some((entry) => entry.kind === "event" && entry.event.masked === true)) return null
    const entries = entriesPast(recent, position).filter((entry) => view.shows(entry))
    const taken = entries.slice(0, most)
    position = taken.length < entries.length ? (taken.at(-1)?.position ?? position) : last.position
    return { entries: taken, release: () => {} }
  }

  async function fromStore(most: number): Promise<Stretch> {
    try {
      const { entries, upTo, release } = await history.page(view, position, { owner, most })
      // Nothing where the feed has been: the log was set back, which the feed is about to notice.
      if (upTo === position) await setTimeout(100)
      position = upTo
      failures = 0
      return { entries, release }
    } catch (error) {
      log.warn({ err: error, failures }, "history could not be read; trying again")
      await setTimeout(100 + backoffMs(failures++))
      return nothing
    }
  }

  return {
    get position() {
      return position
    },
    atFeed: () => feed.following && position === feed.position && position >= floor,
    pull: async (most = Infinity) => {
      if (position < floor) {
        const gap = toEntry({ from: position + 1, to: floor })
        position = floor
        return { entries: [gap], release: () => {} }
      }
      // Resting, the feed does not know how far the log has come; ahead of it, there is news to await.
      if (!feed.following || position >= feed.position) {
        await feed.changed()
        return nothing
      }
      return fromRing(most) ?? fromStore(most)
    },
  }
}

const nothing: Stretch = { entries: [], release: () => {} }
