import type { LoggedEvent } from "../core/envelope.ts"
import type { Hole } from "../store/log-pages.ts"
import { entriesPast, type Entry } from "./entry.ts"
import type { Feed } from "./feed.ts"

const maxEntries = 256

/**
 * What follows a position, as the feed has read it: whole events, and nothing where it has not seen the log grow
 * any further. Undefined where it cannot tell: it does not follow the log at present, holds no more what follows,
 * or knows it by a tail, which tells no bodies as they were received.
 */
export function recentStretch(
  feed: Feed,
  after: number,
): { items: (LoggedEvent | Hole)[]; upTo: number } | undefined {
  if (feed.lost) return undefined
  const entries = feed.recent(after, maxEntries)
  if (entries === null) return undefined
  if (entries.some((entry) => entry.kind === "event" && entry.event.masked === true)) return undefined
  const upTo = entries.length < maxEntries ? feed.position : (entries.at(-1)?.position ?? after)
  return { items: entriesPast(entries, after).map(toItem), upTo: Math.max(upTo, after) }
}

function toItem(entry: Entry): LoggedEvent | Hole {
  return entry.kind === "event" ? entry.event : { from: entry.from, to: entry.position }
}
