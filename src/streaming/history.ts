import { readAs, type Database } from "../store/database.ts"
import type { Hole } from "../store/log-pages.ts"
import { scanLog, type ScannedEvent } from "../store/log-scan.ts"
import { findLoggedEvents } from "../store/logged-events.ts"
import { createBudget } from "./budget.ts"
import { toEntry, type Entry } from "./entry.ts"
import type { View } from "./view.ts"

/** Entries of a view read from the store. */
export interface HistoryPage {
  entries: Entry[]
  /** The page says everything about positions up to here. */
  upTo: number
  /** Gives back the memory that the page was granted; idempotent. */
  release: () => void
}

/** Reads what the ring no longer holds. */
export interface History {
  /** The stretch of a view that follows a position. */
  page(view: View, after: number, options: PageOptions): Promise<HistoryPage>
  /** Pages read since the start. */
  readonly pages: number
}

export interface PageOptions {
  /** Who reads: owners take turns, and share the memory. */
  owner: string
  /** Entries at most. */
  most: number
}

const pageBytes = 256 << 10
const heldBytes = 64 << 20
const concurrentReads = 4

/**
 * Makes the reader of history for all clients of a process: few reads at a time, so that a crowd
 * coming back leaves connections to the rest, and a bound on what all pages hold in memory together.
 */
export function createHistory(database: Database): History {
  const memory = createBudget(heldBytes, { leavesRoom: true })
  const turns = createBudget(concurrentReads)
  let pages = 0

  async function inTurn<T>(owner: string, read: () => Promise<T>): Promise<T> {
    const leave = await turns.acquire(owner, 1)
    try {
      return await read()
    } finally {
      leave()
    }
  }

  return {
    get pages() {
      return pages
    },
    page: async (view, after, { owner, most }) => {
      pages++
      const scan = await inTurn(owner, () => scanLog(database.work, view.tenant, after))
      const { wanted, bytes, upTo } = choose(view, scan.items, { end: scan.upTo, most })
      const places = wanted.flatMap((item) =>
        "id" in item ? [{ eventId: item.id, position: item.position }] : [],
      )
      if (places.length === 0) return { entries: wanted.map(toHoleEntry), upTo, release: () => {} }
      const release = await memory.acquire(owner, 2 * bytes)
      try {
        // Under the reader's role: should all else fail, row-level security keeps tenants apart.
        const events = await inTurn(owner, () =>
          readAs(database, view.tenant, (db) => findLoggedEvents(db, places, { payload: true })),
        )
        const found = new Map(events.map((event) => [event.id, event]))
        const entries = wanted.map((item) => {
          const event = "id" in item ? found.get(item.id) : undefined
          return event === undefined ? toHoleEntry(item) : toEntry(event)
        })
        return { entries: entries.filter((entry) => view.shows(entry)), upTo, release }
      } catch (error) {
        release()
        throw error
      }
    },
  }
}

/** The leading part of a scan that fits a page, one event at least. */
function choose(
  view: View,
  items: readonly (ScannedEvent | Hole)[],
  { end, most }: { end: number; most: number },
) {
  const wanted: (ScannedEvent | Hole)[] = []
  let bytes = 0
  let upTo = end
  for (const item of items) {
    const isEvent = "id" in item
    if (isEvent && !view.mayShow(item)) continue
    if (wanted.length >= most || (isEvent && bytes > 0 && bytes + item.bytes > pageBytes)) {
      upTo = (isEvent ? item.position : item.from) - 1
      break
    }
    if (isEvent) bytes += item.bytes
    wanted.push(item)
  }
  return { wanted, bytes, upTo }
}

/** What was there a moment ago and is not any more has gone the way of all holes. */
function toHoleEntry(item: ScannedEvent | Hole): Entry {
  return toEntry("id" in item ? { from: item.position, to: item.position } : item)
}
