import { SignalboxError } from "../core/errors.ts"
import { partitionOf } from "../core/partition-of.ts"
import { orderKey } from "../consumers/order-key.ts"
import type { Entry, EventEntry, GapEntry } from "../streaming/entry.ts"
import type { Feed } from "../streaming/feed.ts"
import type { View } from "../streaming/view.ts"

/** What came for somebody who waits. */
export interface News {
  events: { partition: number; entry: EventEntry }[]
  gaps: GapEntry[]
  /** Everything of the partitions up to here is told. */
  upTo: number
}

/** Tells those who wait at the end of the log what comes; each event is looked at once a group, whatever its members. */
export interface NewsDesk {
  /**
   * Waits for events of these partitions that follow `feed.position`, or until the signal is aborted.
   * Nothing may be awaited between the look at the feed and this. Throws `conflict` where the log was set back.
   */
  next(group: string, view: View, partitions: Wanted, signal: AbortSignal): Promise<News>
  /** Follows the feed from now on; call the answer to end it. */
  follow(): () => void
}

/** Partitions, of so many. */
export interface Wanted {
  of: number
  has(partition: number): boolean
}

interface Waiter {
  partitions: Wanted
  view: View
  news: News
  wake: (error?: SignalboxError) => void
}

/** What there is to say of positions that the log has not reached. */
export function logSetBack(): SignalboxError {
  return new SignalboxError("conflict", "the log was set back: this group's positions mean nothing now")
}

/** Makes the desk on a feed. `onSetBack` is called where the log was set back, once all that wait are told. */
export function createNewsDesk(feed: Feed, onSetBack: () => void = () => {}): NewsDesk {
  const waiting = new Map<string, Set<Waiter>>()
  let followers = 0
  let unsubscribe: (() => void) | undefined

  function follow(): () => void {
    followers++
    unsubscribe ??= feed.subscribe({ advance, setBack })
    let ended = false
    return () => {
      if (ended) return
      ended = true
      if (--followers > 0) return
      unsubscribe?.()
      unsubscribe = undefined
    }
  }

  function advance(entries: readonly Entry[]): void {
    for (const waiters of waiting.values()) {
      for (const entry of entries) tell(waiters, entry)
      for (const waiter of waiters) {
        if (waiter.news.events.length > 0 || waiter.news.gaps.length > 0) waiter.wake()
      }
    }
  }

  function tell(waiters: ReadonlySet<Waiter>, entry: Entry): void {
    if (entry.kind === "gap") {
      for (const { news } of waiters) news.gaps.push(entry)
      return
    }
    let view: View | undefined // one for all, unless the stream was changed while some were waiting
    let partition: number | undefined // none where the view does not show it
    for (const { partitions, news, view: own } of waiters) {
      if (own !== view)
        partition = own.shows(entry) ? partitionOf(orderKey(entry.event), partitions.of) : undefined
      view = own
      if (partition !== undefined && partitions.has(partition)) news.events.push({ partition, entry })
    }
  }

  function setBack(): void {
    const error = logSetBack()
    for (const waiters of waiting.values()) for (const waiter of waiters) waiter.wake(error)
    onSetBack()
  }

  return {
    follow,
    async next(group, view, partitions, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<News>()
      const waiters = waiting.get(group) ?? new Set()
      waiting.set(group, waiters)
      const news: News = { events: [], gaps: [], upTo: feed.position }
      const waiter: Waiter = {
        partitions,
        view,
        news,
        wake(error) {
          waiters.delete(waiter)
          if (waiters.size === 0 && waiting.get(group) === waiters) waiting.delete(group)
          news.upTo = feed.position
          if (error === undefined) resolve(news)
          else reject(error)
        },
      }
      const giveUp = () => waiter.wake()
      const unfollow = follow() // or what goes by, followed for others alone, would be passed over
      waiters.add(waiter)
      signal.addEventListener("abort", giveUp)
      if (signal.aborted) giveUp()
      try {
        return await promise
      } finally {
        signal.removeEventListener("abort", giveUp)
        unfollow()
      }
    },
  }
}
