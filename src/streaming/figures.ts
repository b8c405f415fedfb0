import type { Client } from "./client.ts"
import type { Ending } from "./ending.ts"
import type { Feed } from "./feed.ts"
import type { History } from "./history.ts"
import { createTally, type Tally } from "./tally.ts"

/** Why a stream was cut off although its client had not gone; it resumes, and misses nothing. */
export type DropReason = "too_slow" | "stalled" | "failed"
/** Why somebody was not let in. */
export type RefusalReason = "full" | "key" | "address" | "conditions"

/** How open streams of a process do. */
export interface OpenStats {
  open: number
  /** Open ones by `sse`, `sse+gzip`, `websocket`, …, those in batches with the rest. */
  byTransport: Record<string, number>
  /** Of the open ones, clients that are still being sent history, or are paced. */
  catchingUp: number
  /** Bytes that wait in memory for clients to take them. */
  unsentBytes: number
  /** Positions that the open ones are behind the head, as far as this process has read it. */
  lag: { p50: number; p95: number; max: number }
  feed: { state: FeedState; position: number }
}

/** How the streams of a process do; what is counted is so since its start. */
export interface ConnectionStats extends OpenStats {
  opened: number
  /** Bytes and events that were written, to all clients together. */
  bytes: number
  events: number
  /** Streams cut because their client did not keep up or could not be served, and why. */
  dropped: number
  droppedBy: Record<string, number>
  /** Streams ended by this process, with a word to the client, and why. */
  endedBy: Record<string, number>
  /** Requests for a stream that were turned away: because the process is full, or for the share of their key or address. */
  refusedBy: Record<string, number>
  /** Pages that were read for those who catch up with more than memory holds. */
  catchUpReads: number
}

/** The reader of the log rests while nobody listens, and is away while it cannot read. */
export type FeedState = "following" | "resting" | "away"

/** What is counted of the streams of a process. */
export interface Figures {
  opened(): void
  /** Takes the counts of a client that is gone. */
  closed(client: Client): void
  dropped(reason: DropReason): void
  ended(reason: Ending["reason"]): void
  refused(reason: RefusalReason): void
  stats(clients: ReadonlySet<Client>): ConnectionStats
}

/** Makes the counts, all at nothing. */
export function createFigures(feed: Feed, history: Pick<History, "pages">): Figures {
  const drops = createTally<DropReason>()
  const ends = createTally<Ending["reason"]>()
  const refusals = createTally<RefusalReason>()
  let opened = 0
  let goneBytes = 0
  let goneEvents = 0

  return {
    opened: () => void opened++,
    closed: ({ bytes, entries }) => {
      goneBytes += bytes
      goneEvents += entries
    },
    dropped: drops.add,
    ended: ends.add,
    refused: refusals.add,
    stats: (clients) => {
      const open = [...clients]
      const droppedBy = countsOf(drops)
      return {
        ...openStats(open, feed),
        opened,
        bytes: goneBytes + sumOf(open, ({ bytes }) => bytes),
        events: goneEvents + sumOf(open, ({ entries }) => entries),
        dropped: Object.values(droppedBy).reduce((total, count) => total + count, 0),
        droppedBy,
        endedBy: countsOf(ends),
        refusedBy: countsOf(refusals),
        catchUpReads: history.pages,
      }
    },
  }
}

/** How these streams do. */
export function openStats(open: readonly Client[], feed: Feed): OpenStats {
  const transports = createTally()
  for (const { wire } of open) transports.add(wire.encoding.name.replace(/\+batch\d+/, ""))
  return {
    open: open.length,
    byTransport: countsOf(transports),
    catchingUp: open.filter(({ live }) => !live).length,
    unsentBytes: sumOf(open, ({ wire }) => wire.unsent()),
    lag: spread(open.map(({ live, passed }) => (live ? 0 : Math.max(0, feed.position - passed)))),
    feed: { state: feedState(feed, open.length), position: feed.position },
  }
}

function sumOf(open: readonly Client[], of: (client: Client) => number): number {
  return open.reduce((total, one) => total + of(one), 0)
}

/** The state of a feed that so many streams are open on. */
export function feedState({ following, lost }: Feed, open: number): FeedState {
  if (lost) return "away"
  if (following) return "following"
  return open === 0 ? "resting" : "away"
}

function countsOf<Name extends string>(tally: Tally<Name>): Record<string, number> {
  return Object.fromEntries(Array.from(tally.names(), (name) => [name, tally.of(name)]))
}

function spread(values: readonly number[]): ConnectionStats["lag"] {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number): number => sorted[Math.ceil(sorted.length * part) - 1] ?? 0
  return { p50: at(0.5), p95: at(0.95), max: sorted.at(-1) ?? 0 }
}
