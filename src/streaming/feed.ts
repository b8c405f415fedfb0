import { setTimeout } from "node:timers/promises"
import type { Log } from "../core/log.ts"
import type { Database } from "../store/database.ts"
import { logHead } from "../store/log-pages.ts"
import { openLogReader, type LogReader } from "../store/log-reader.ts"
import { backoffMs, createAlarm } from "./alarm.ts"
import { toEntry, type Entry } from "./entry.ts"
import { createRing } from "./ring.ts"

/** Told of every stretch of the log as it is read. Must not throw, and must not take long. */
export interface FeedSubscriber {
  /** Entries in position order; together with those before, they say everything up to `feed.position`. */
  advance(entries: readonly Entry[]): void
  /** The log was set back (a restore): cursors of before mean nothing any more. */
  setBack(): void
}

/** The one reader of the log in a process, whatever the number of clients. */
export interface Feed {
  /** Everything up to here has been told to the subscribers. */
  readonly position: number
  /** Whether it follows the log; it rests while nobody is subscribed, and says nothing of the present then. */
  readonly following: boolean
  /** Whether it has been stopped: nothing comes any more. */
  readonly stopped: boolean
  /** Follows the log from now on; call the answer to end it. */
  subscribe(subscriber: FeedSubscriber): () => void
  /** Recent entries past `position` up to `feed.position`, `limit` at most; null where they are no longer held. */
  recent(position: number, limit: number): Entry[] | null
  /** Resolves when `position`, `following` or `stopped` has changed. */
  changed(): Promise<void>
  /** Last position of the log, read after the call: what a client that wants only news starts from. */
  head(): Promise<number>
  start(): void
  stop(): Promise<void>
}

export interface FeedOptions {
  database: Database
  log: Log
  /** Bytes of recent entries kept for clients that come back (32 MiB). */
  ringBytes?: number
  /** Least time between two reads (5 ms): whatever arrives within goes out in one write a client. */
  coalesceMs?: number
}

const readBytes = 4 << 20
const slowestPollMs = 1000
const fastestPollMs = 50
/** Entries read back on waking, for clients that were here a moment ago; further behind, it starts anew. */
const lookBack = 256

/** Makes a feed. It outlives restarts of the database, and missed hints cost it time only. */
export function createFeed({ database, log, ringBytes = 32 << 20, coalesceMs = 5 }: FeedOptions): Feed {
  const ring = createRing(ringBytes)
  const subscribers = new Set<FeedSubscriber>()
  const alarm = createAlarm()
  let position = 0
  let following = false
  let running: Promise<void> | undefined
  let stopping = new AbortController()
  let change = Promise.withResolvers<void>()
  let pollMs = slowestPollMs
  let failures = 0

  function notifyChange(): void {
    change.resolve()
    change = Promise.withResolvers()
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let reader: LogReader | undefined
      try {
        // The loss of the reader only ends a wait: the next read finds out, and throws.
        reader = await openLogReader({ url: database.url, onHint: hint, onLost: () => alarm.ring() })
        await follow(reader, signal)
      } catch (error) {
        log.warn({ err: error, failures }, "the feed lost the log and tries again")
        await setTimeout(backoffMs(failures++), undefined, { signal }).catch(() => {})
      }
      const closing = reader?.close().catch(() => {})
      if (signal.aborted) await closing // a lost one may take its time, and is not waited for
    }
    following = false
    notifyChange()
  }

  function hint(newest: number): void {
    if (newest <= position || subscribers.size === 0) return
    pollMs = slowestPollMs // hints arrive, so polling is a safety net only
    alarm.ring()
  }

  /** Reads along until stopped; throws when the reader is lost. */
  async function follow(reader: LogReader, signal: AbortSignal): Promise<void> {
    let hinted = true
    while (!signal.aborted) {
      if (subscribers.size === 0) {
        rest()
        await alarm.wait()
        await reader.head() // throws where the connection broke in the meantime
        continue
      }
      if (!following) await wake(reader)
      const readAt = performance.now()
      const { found, more } = await readOn(reader)
      failures = 0
      // Something that no hint told of: hints do not come through, so look more often.
      if (!hinted) pollMs = found ? fastestPollMs : Math.min(slowestPollMs, pollMs * 2)
      hinted = more || (await alarm.wait(pollMs))
      const wait = coalesceMs - (performance.now() - readAt)
      if (wait > 0) await setTimeout(wait)
    }
  }

  function rest(): void {
    if (!following) return
    following = false
    notifyChange()
  }

  async function wake(reader: LogReader): Promise<void> {
    const head = await reader.head()
    if (head < position || head - position > lookBack) {
      position = Math.max(0, head - lookBack)
      ring.clear(position)
    }
    following = true
    notifyChange()
  }

  async function readOn(reader: LogReader): Promise<{ found: boolean; more: boolean }> {
    const page = await reader.read(position, readBytes)
    if (page.head < position) {
      log.error({ position, head: page.head }, "the log was set back; clients start anew")
      position = page.head
      ring.clear(position)
      tell((subscriber) => subscriber.setBack())
    } else if (page.upTo > position) {
      const entries = page.items.map(toEntry)
      for (const entry of entries) ring.push(entry)
      position = page.upTo
      tell((subscriber) => subscriber.advance(entries))
      return { found: true, more: page.upTo < page.head }
    }
    return { found: false, more: false }
  }

  function tell(message: (subscriber: FeedSubscriber) => void): void {
    for (const subscriber of subscribers) {
      try {
        message(subscriber)
      } catch (error) {
        log.error({ err: error }, "a subscriber of the feed failed; the others go on")
      }
    }
    notifyChange()
  }

  return {
    get position() {
      return position
    },
    get following() {
      return following
    },
    get stopped() {
      return stopping.signal.aborted
    },
    subscribe: (subscriber) => {
      if (subscribers.size === 0) alarm.ring() // it may be resting, and hints went unheard
      subscribers.add(subscriber)
      return () => subscribers.delete(subscriber)
    },
    recent: (after, limit) => (following && ring.covers(after) ? ring.after(after, limit) : null),
    changed: () => change.promise,
    head: createSharedRead(() => logHead(database.work)),
    start: () => {
      if (running !== undefined) return
      stopping = new AbortController()
      running = run(stopping.signal)
    },
    stop: async () => {
      stopping.abort()
      alarm.ring()
      await running
      running = undefined
    },
  }
}

/** Joins calls into as few reads as can be: whoever calls while one is under way shares the one after it. */
function createSharedRead<T>(read: () => Promise<T>): () => Promise<T> {
  let current: Promise<unknown> = Promise.resolve()
  let next: Promise<T> | undefined
  return async () => {
    next ??= current.then(() => {
      next = undefined
      const reading = read()
      current = reading.catch(() => {})
      return reading
    })
    return next
  }
}
