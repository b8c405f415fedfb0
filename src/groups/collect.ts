import { partitionOf } from "../core/partition-of.ts"
import { orderKey } from "../consumers/order-key.ts"
import type { Log } from "../core/log.ts"
import type { Place } from "../store/group-members.ts"
import type { EventEntry, GapEntry } from "../streaming/entry.ts"
import type { Feed } from "../streaming/feed.ts"
import type { History } from "../streaming/history.ts"
import { createLogCursor, type LogCursor, type Stretch } from "../streaming/log-cursor.ts"
import { ofPartitions, type GroupView } from "./group-view.ts"
import type { News, NewsDesk, Wanted } from "./news.ts"

/** Positions of a partition that are past retention, both ends included. */
export interface PartitionGap {
  partition: number
  from: number
  to: number
}

/** What followed some places: events or gaps, or neither where nothing did in time. */
export interface Batch {
  events: { partition: number; entry: EventEntry }[]
  gaps: PartitionGap[]
  /** Where the partitions are once all of it is done. */
  places: Place[]
}

export interface CollectParts {
  feed: Feed
  history: History
  log: Log
  desk: NewsDesk
}

export interface CollectRequest {
  groupId: string
  /** Into how many partitions the group is dealt. */
  partitions: number
  view: GroupView
  /** Behind which to look, by partition; one at least. */
  places: ReadonlyMap<number, Place>
  maxEvents: number
  maxBytes: number
  /** Whether to wait where nothing follows yet. */
  waits: boolean
  /** Ends the wait. */
  signal: AbortSignal
}

/**
 * Collects what follows places in the log: from the ring or the store at once, else what comes next. Events
 * of a partition are in the order of their positions, and a batch ends before a gap unless it begins with it.
 */
export async function collect(parts: CollectParts, request: CollectRequest): Promise<Batch> {
  const { feed, desk } = parts
  const { places, signal, groupId, view } = request
  const wanted: Wanted = { of: request.partitions, has: (partition) => places.has(partition) }
  const after = Math.min(...Array.from(places.values(), ({ position }) => position))
  const isBehind = !feed.following || after < feed.position
  const floor = isBehind ? await view.floor() : 0
  const cursor = createLogCursor({ ...parts, view: ofPartitions(view.view, wanted), after, floor })
  while (!signal.aborted) {
    if (cursor.atFeed()) {
      if (!request.waits) break
      return cut(await desk.next(groupId, view.view, wanted, signal), request)
    }
    const stretch = await pullUntil(cursor, signal)
    if (stretch === undefined) break
    const events: News["events"] = []
    const gaps: GapEntry[] = []
    for (const entry of stretch.entries) {
      if (entry.kind === "gap") gaps.push(entry)
      else events.push({ partition: partitionOf(orderKey(entry.event), request.partitions), entry })
    }
    const batch = cut({ events, gaps, upTo: cursor.position }, request)
    if (batch.events.length > 0 || batch.gaps.length > 0) return batch
  }
  return cut({ events: [], gaps: [], upTo: cursor.position }, request)
}

/** The leading part of what came that is new to the places, fits, and has its gaps at its beginning. */
function cut({ events, gaps, upTo }: News, request: CollectRequest): Batch {
  const { places, maxEvents, maxBytes } = request
  const batch: Batch = { events: [], gaps: [], places: [] }
  const gap = gaps.find(({ position }) =>
    Array.from(places.values()).some((place) => place.position < position),
  )
  let end = upTo
  let bytes = 0
  for (const { partition, entry } of events) {
    if (entry.position <= (places.get(partition)?.position ?? Infinity)) continue
    if (gap !== undefined && entry.position > gap.from) break
    const size = entry.json().length
    if (batch.events.length === maxEvents || (bytes > 0 && bytes + size > maxBytes)) {
      return { ...batch, places: moved(places, batch.events.at(-1)?.entry.position ?? 0) }
    }
    bytes += size
    batch.events.push({ partition, entry })
  }
  if (gap !== undefined && batch.events.length > 0) end = gap.from - 1
  else if (gap !== undefined) {
    end = gap.position
    for (const { partition, position } of places.values()) {
      if (position >= gap.position) continue
      batch.gaps.push({ partition, from: Math.max(gap.from, position + 1), to: gap.position })
    }
  }
  return { ...batch, places: moved(places, end) }
}

function moved(places: ReadonlyMap<number, Place>, position: number): Place[] {
  return Array.from(places.values(), (place) => ({ ...place, position: Math.max(place.position, position) }))
}

/** Pulls the next stretch; undefined once the signal is aborted. Each wait takes its listener away with it. */
async function pullUntil(cursor: LogCursor, signal: AbortSignal): Promise<Stretch | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Stretch | undefined>()
  const giveUp = () => resolve(undefined)
  signal.addEventListener("abort", giveUp)
  cursor.pull().then((stretch) => {
    stretch.release()
    return resolve(stretch)
  }, reject)
  try {
    return await promise
  } finally {
    signal.removeEventListener("abort", giveUp)
  }
}
