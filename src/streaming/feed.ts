import { setTimeout } from "node:timers/promises"
import type { Log } from "../core/log.ts"
import type { LogTail } from "../core/log-tail.ts"
import type { Database } from "../store/database.ts"
import { logHead } from "../store/log-pages.ts"
import { openLogReader, type LogReader } from "../store/log-reader.ts"
import { backoffMs, createAlarm } from "./alarm.ts"
import { entriesPast, toEntry, type Entry } from "./entry.ts"
import { createLandmarks } from "./landmarks.ts"
import { createRing } from "./ring.ts"
import { createSharedRead } from "./shared-read.ts"
import { createTailIntake } from "./tail-intake.ts"

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
  /** Whether the log could not be read when that was last tried. */
  readonly lost: boolean
  /** Whether the news come by the tail at present, and not from the database. */
  readonly byTail: boolean
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
  /** Another way to the news; where it lags or fails, the database is read. */
  tail?: LogTail | undefined
  /** Told what is asked of all that serve streams: the feed's connection hears it. */
  onQuestion?: (text: string) => void
  /** Told the tenant whose streams have changed. */
  onStreamChange?: (tenant: string) => void
}

const readBytes = 4 << 20
/**
 * A flush takes no more than its half of the time until the next begins, as long as that is no longer than this: a
 * write costs the same whatever it holds, so that flushes back to back would take all of a core, and those of twice
 * as many events take half of it.
 */
const longestPauseMs = 250
const slowestPollMs = 1000
const fastestPollMs = 50
/** Entries read back on waking, for clients that were here a moment ago; further behind, it starts anew. */
const lookBack = 256

/** Makes a feed. It outlives restarts of the database, and missed hints cost it time only. */
export function createFeed(options: FeedOptions): Feed {
  const { database, log, ringBytes = 32 << 20, coalesceMs = 5, onQuestion, onStreamChange } = options
  const ring = createRing(ringBytes)
  const subscribers = new Set<FeedSubscriber>()
  const alarm = createAlarm()
  const landmarks = createLandmarks(() => ring.after(position - 1, 1)[0])
  let position = 0
  let following = false
  let running: Promise<void> | undefined
  let stopping = new AbortController()
  let change = Promise.withResolvers<void>()
  let pollMs = slowestPollMs
  let failures = 0
  let lost = false
  let flush = { at: 0, tookMs: 0 } // the last one
  let mustRead = true // whether the database is to be read although the tail keeps up
  const intake =
    options.tail &&
    createTailIntake({
      tail: options.tail,
      position: () => position,
      accept: (entries) => moveOn(entries, entries.at(-1)?.position ?? position),
      ask: () => {
        mustRead = true
        alarm.ring()
      },
      pauseMs,
    })

  /** How long to wait yet, after the last time that something was looked for, before what there is goes out. */
  function pauseMs(since: number): number {
    const now = performance.now()
    const pause = Math.min(2 * flush.tookMs, longestPauseMs)
    return Math.max(0, since + coalesceMs - now, flush.at + pause - now)
  }

  function notifyChange(): void {
    change.resolve()
    change = Promise.withResolvers()
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let reader: LogReader | undefined
      try {
        // The loss of the reader only ends a wait: the next read finds out, and throws.
        const onLost = () => {
          landmarks.lost()
          alarm.ring()
        }
        reader = await openLogReader({
          url: database.url,
          name: "feed",
          onHint: hint,
          onQuestion,
          onStreamChange,
          onLost,
        })
        await follow(reader, signal)
      } catch (error) {
        lost = true
        landmarks.lost()
        mustRead = true // whatever was to be read may not have been
        log.warn({ err: error, failures }, "the feed lost the log and tries again")
        await setTimeout(backoffMs(failures++), undefined, { signal }).catch(() => {})
      }
      const closing = reader?.close().catch(() => {})
      if (signal.aborted) await closing // a lost one may take its time, and is not waited for
    }
    sleep()
    notifyChange()
  }

  function sleep(): void {
    following = false
    intake?.stop()
  }

  function hint(newest: number): void {
    if (newest <= position || subscribers.size === 0) return
    pollMs = slowestPollMs // hints arrive, so polling is a safety net only
    if (intake?.leads === true) intake.owes(newest)
    else alarm.ring()
  }

  /** Reads along until stopped; throws when the reader is lost. */
  async function follow(reader: LogReader, signal: AbortSignal): Promise<void> {
    let hinted = true
    if (await landmarks.isOther(reader)) setBack(await reader.head())
    while (!signal.aborted) {
      if (subscribers.size === 0) {
        rest()
        lost = false
        await alarm.wait()
        await reader.head() // throws where the connection broke in the meantime
        continue
      }
      if (!following) await wake(reader)
      const readAt = performance.now()
      const { found, more } =
        intake?.leads === true && !mustRead ? await compare(reader) : await readOn(reader)
      failures = 0
      lost = false
      // Something that no hint told of: hints do not come through, so look more often.
      if (!hinted) pollMs = found ? fastestPollMs : Math.min(slowestPollMs, pollMs * 2)
      hinted = more || (await alarm.wait(pollMs))
      const wait = pauseMs(readAt)
      if (wait > 0) await setTimeout(wait)
    }
  }

  function rest(): void {
    if (!following) return
    sleep()
    notifyChange()
  }

  async function wake(reader: LogReader): Promise<void> {
    const head = await reader.head()
    if (head < position || head - position > lookBack) {
      position = Math.max(0, head - lookBack)
      ring.clear(position)
    }
    following = true
    mustRead = true
    intake?.start()
    notifyChange()
  }

  /** Compares with the end of the log what the tail has told. */
  async function compare(reader: LogReader): Promise<{ found: boolean; more: boolean }> {
    const before = position // the tail may go on meanwhile
    const head = await reader.head()
    if (head < before) setBack(head)
    else if (head > position) intake?.owes(head)
    return { found: false, more: false }
  }

  async function readOn(reader: LogReader): Promise<{ found: boolean; more: boolean }> {
    mustRead = false
    const before = position // the tail may go on meanwhile
    const page = await reader.read(before, readBytes)
    if (page.head < before) {
      setBack(page.head)
    } else if (page.upTo > before) {
      const entries = entriesPast(page.items.map(toEntry), position)
      if (page.upTo > position) moveOn(entries, page.upTo)
      intake?.overtaken(position)
      intake?.drain()
      return { found: true, more: page.upTo < page.head }
    }
    return { found: false, more: false }
  }

  function setBack(head: number): void {
    log.error({ position, head }, "the log was set back; clients start anew")
    position = head
    ring.clear(position)
    landmarks.forget()
    intake?.clear()
    tell((subscriber) => subscriber.setBack())
  }

  function moveOn(entries: readonly Entry[], upTo: number): void {
    for (const entry of entries) ring.push(entry)
    position = upTo
    const at = performance.now()
    tell((subscriber) => subscriber.advance(entries))
    flush = { at, tookMs: performance.now() - at }
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
    get lost() {
      return lost
    },
    get byTail() {
      return following && intake?.leads === true
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
