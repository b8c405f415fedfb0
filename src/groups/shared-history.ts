import { createLogWindow } from "../consumers/log-window.ts"
import type { Database } from "../store/database.ts"
import { readLogPage } from "../store/log-pages.ts"
import { createBudget } from "../streaming/budget.ts"
import { toEntry } from "../streaming/entry.ts"
import type { History } from "../streaming/history.ts"

const readBytes = 1 << 20
const concurrentReads = 2

/** The history that members of groups share. */
export interface SharedHistory extends History {
  /** Forgets what is in memory: the log may be another than it was. */
  forget(): void
}

/**
 * Makes the reader of what the ring no longer holds, for members of groups: those of one group are at nearly the same
 * place, and each wants a part of every stretch, so that a stretch is read once for all. The window bounds what is
 * kept; views keep tenants apart. Few read at a time, and tenants take turns: those far behind, each at a place of
 * its own, leave connections to the rest.
 */
export function createSharedHistory({ work }: Pick<Database, "work">): SharedHistory {
  const open = () => createLogWindow((after) => readLogPage(work, after, readBytes))
  const turns = createBudget(concurrentReads)
  let window = open()
  let pages = 0

  async function read(tenant: string, after: number) {
    const leave = await turns.acquire(tenant, 1)
    try {
      const stretch = await window.read(after)
      if (stretch.upTo > after) return stretch
      window.refresh() // whoever asks knows of more than the window does
      return await window.read(after)
    } finally {
      leave()
    }
  }

  return {
    get pages() {
      return pages
    },
    async page(view, after, { most }) {
      pages++
      const stretch = await read(view.tenant, after)
      const found = stretch.items.map(toEntry).filter((entry) => view.shows(entry))
      const entries = found.slice(0, Math.max(1, most))
      const last = entries.at(-1)
      const isCut = entries.length < found.length && last !== undefined
      return { entries, upTo: isCut ? last.position : stretch.upTo, release: () => {} }
    },
    forget() {
      window = open()
    },
  }
}
