import type { LoggedEvent } from "../core/envelope.ts"
import type { Feed } from "./feed.ts"

const maxEntries = 256

/**
 * What follows a position, as the feed has read it: whole events, and nothing where it has not seen the log grow
 * any further. Undefined where the store is to tell: where the feed does not follow the log at present, holds no
 * more what follows, knows it by a tail, which tells no bodies as they were received, or has been told of a hole.
 */
export function recentStretch(feed: Feed, after: number): { items: LoggedEvent[]; upTo: number } | undefined {
  if (feed.lost) return undefined
  const entries = feed.recent(after, maxEntries)
  if (entries === null) return undefined
  const items = entries.flatMap((entry) => (entry.kind === "event" ? [entry.event] : []))
  if (items.length < entries.length || items.some(({ masked }) => masked === true)) return undefined
  const upTo = entries.length < maxEntries ? feed.position : (items.at(-1)?.position ?? after)
  return { items, upTo: Math.max(upTo, after) }
}
