import type { LogTail, TailItem, TailListener } from "../core/log-tail.ts"
import { entriesPast, type Entry } from "./entry.ts"
import { toTailEntry } from "./tail-entry.ts"

/** Brings what a tail tells into the order of the log, beside what is read from the database. */
export interface TailIntake {
  /** Whether the tail keeps up: the news may be left to it. */
  readonly leads: boolean
  start(): void
  stop(): void
  /** Hands on what has come and follows the feed's position, and drops what the feed has by now. */
  drain(): void
  /** The database told up to here before the tail did. */
  overtaken(position: number): void
  /**
   * The database has everything up to here, which is left to the tail for a moment. One that owes it for
   * longer leads no more until it is seen to keep up.
   */
  owes(newest: number): void
  /** Forgets what has come: the log was set back. */
  clear(): void
}

export interface TailIntakeOptions {
  tail: LogTail
  /** Up to where the feed has told everything. */
  position: () => number
  /** Takes the entries that follow that. */
  accept: (entries: readonly Entry[]) => void
  /** Says that what follows the position must come from the database. */
  ask: () => void
  /** Milliseconds to wait yet, after entries were handed on at that time (`performance.now()`), before more are. */
  pauseMs: (since: number) => number
}

const heldBytes = 16 << 20
const placeBytes = 256
/** How long the tail may owe what the database has. */
const graceMs = 250
/** A tail that is behind the database by less than this keeps up. */
const keepsUpMs = 200

/** A place that has come ahead of its turn. */
interface Held {
  from: number
  position: number
  /** Null where the database must be asked. */
  entry: Entry | null
  bytes: number
}

/** Makes an intake; it takes nothing before `start`. */
export function createTailIntake({ tail, position, accept, ask, pauseMs }: TailIntakeOptions): TailIntake {
  let held: Held[] = []
  let bytes = 0
  let leads = false
  let overtakenAt: { position: number; at: number } | undefined
  let unfollow: (() => void) | undefined
  let listener: TailListener | undefined
  let timer: NodeJS.Timeout | undefined
  let grace: NodeJS.Timeout | undefined
  let drainedAt = 0

  function clear(): void {
    held = []
    bytes = 0
    overtakenAt = undefined
  }

  function take(item: TailItem): void {
    if (overtakenAt !== undefined && item.position >= overtakenAt.position) {
      if (performance.now() - overtakenAt.at < keepsUpMs) leads = true
      overtakenAt = undefined
    }
    if (item.position <= position()) return
    const last = held.at(-1)?.position ?? 0
    if (item.position <= last) return // what comes again has been held already
    const entry = toTailEntry(item)
    const size = entry?.bytes ?? placeBytes
    held.push({
      from: item.kind === "gap" ? item.from : item.position,
      position: item.position,
      entry,
      bytes: size,
    })
    bytes += size
    // What comes first is dropped first: the database must be asked for it, and for all that lies before.
    while (bytes > heldBytes && held.length > 1) bytes -= held.shift()?.bytes ?? 0
    timer ??= setTimeout(drain, pauseMs(drainedAt))
  }

  function drain(): void {
    clearTimeout(timer)
    timer = undefined
    drainedAt = performance.now()
    const entries: Entry[] = []
    let next = position() + 1
    let count = 0
    for (const { from, position: to, entry, bytes: size } of held) {
      if (to >= next) {
        if (from > next || entry === null) break
        entries.push(...entriesPast([entry], next - 1))
        next = to + 1
      }
      bytes -= size
      count++
    }
    held.splice(0, count)
    const isAhead = held.length > 0
    if (entries.length > 0) {
      leads = true
      accept(entries)
    }
    if (isAhead) ask()
  }

  function lost(): void {
    leads = false
    clear()
    ask()
  }

  return {
    get leads() {
      return leads
    },
    start: () => {
      if (unfollow !== undefined) return
      const current: TailListener = {
        take: (item) => listener === current && take(item),
        lost: () => listener === current && lost(),
      }
      listener = current
      unfollow = tail.follow(current)
    },
    stop: () => {
      listener = undefined // what was on its way belongs to nobody
      unfollow?.()
      unfollow = undefined
      clearTimeout(timer)
      clearTimeout(grace)
      timer = grace = undefined
      leads = false
      clear()
    },
    drain,
    overtaken: (reached) => {
      if (!leads) overtakenAt ??= { position: reached, at: performance.now() }
    },
    owes: (newest) => {
      grace ??= setTimeout(() => {
        grace = undefined
        if (position() >= newest) return
        leads = false
        ask()
      }, graceMs)
    },
    clear,
  }
}
