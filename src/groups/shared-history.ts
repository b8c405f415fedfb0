import { createLogWindow } from "../consumers/log-window.ts"
import type { Database } from "../store/database.ts"
import { readLogPage } from "../store/log-pages.ts"
import { toEntry } from "../streaming/entry.ts"
import type { History } from "../streaming/history.ts"

const readBytes = 1 << 20

/**
 * Makes the reader of what the ring no longer holds, for members of groups: those of one group are at nearly the same
 * place, and each wants a part of every stretch, so that a stretch is read once for all. The window bounds what is
 * kept; views keep tenants apart.
 */
export function createSharedHistory({ work }: Pick<Database, "work">): History {
  const window = createLogWindow((after) => readLogPage(work, after, readBytes))
  let pages = 0

  return {
    get pages() {
      return pages
    },
    async page(view, after, { most }) {
      pages++
      let stretch = await window.read(after)
      if (stretch.upTo === after) {
        window.refresh() // whoever asks knows of more than the window does
        stretch = await window.read(after)
      }
      const found = stretch.items.map(toEntry).filter((entry) => view.shows(entry))
      const entries = found.slice(0, Math.max(1, most))
      const last = entries.at(-1)
      const isCut = entries.length < found.length && last !== undefined
      return { entries, upTo: isCut ? last.position : stretch.upTo, release: () => {} }
    },
  }
}
