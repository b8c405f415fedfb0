import { setTimeout } from "node:timers/promises"
import type { Log } from "../core/log.ts"
import { backoffMs } from "./alarm.ts"
import { toEntry, type Entry } from "./entry.ts"
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
   * Pulls the next stretch. It may hold no entry: where the filter let none pass, or after a wait,
   * for the feed or for the database, whose absence it outlasts.
   */
  pull(): Promise<Stretch>
}

export interface LogCursorOptions {
  feed: Feed
  history: History
  log: Log
  view: View
  after: number
}

const ringEntries = 256

/** Makes a cursor behind `after`. */
export function createLogCursor({ feed, history, log, view, after }: LogCursorOptions): LogCursor {
  let position = after
  let failures = 0

  function fromRing(): Stretch | null {
    const recent = feed.recent(position, ringEntries)
    const last = recent?.at(-1)
    if (recent === null || last === undefined) return null
    const entries = recent.filter((entry) => view.shows(entry)).map((entry) => clip(entry, position))
    position = last.position
    return { entries, release: () => {} }
  }

  async function fromStore(): Promise<Stretch> {
    try {
      const { entries, upTo, release } = await history.page(view, position)
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
    atFeed: () => feed.following && position === feed.position,
    pull: async () => {
      // Resting, the feed does not know how far the log has come; ahead of it, there is news to await.
      if (!feed.following || position >= feed.position) {
        await feed.changed()
        return nothing
      }
      return fromRing() ?? fromStore()
    },
  }
}

const nothing: Stretch = { entries: [], release: () => {} }

/** An entry as it looks from a position, which may lie within a gap. */
function clip(entry: Entry, position: number): Entry {
  if (entry.kind === "event" || entry.from > position) return entry
  return toEntry({ from: position + 1, to: entry.position })
}
