import type { LoggedEvent } from "../core/envelope.ts"
import { eventWeight, holeWeight } from "../core/event-weight.ts"
import type { Hole } from "../store/log-pages.ts"
import type { LogHead } from "../store/wanted-log.ts"

/** A stretch of the log in position order, with the holes that retention has left. */
export interface Stretch {
  items: readonly (LoggedEvent | Hole)[]
  /** It says everything about positions up to here. */
  upTo: number
  /** Last position of the log as the database had it; missing where somebody else told the stretch. */
  head?: number
}

/**
 * Reads what follows a position, of every tenant; as much as it sees fit, and nothing at the end of the log.
 * What `mayWant` says no to may be left out.
 */
export type ReadLog = (after: number, mayWant?: MayWant) => Promise<Stretch>

/** Whether a reader may want the events of a head. */
export type MayWant = (head: LogHead) => boolean

/** Reads no more than what somebody may want; undefined where only the whole log can tell what follows. */
export type ReadWanted = (after: number, mayWant: MayWant) => Promise<Stretch | undefined>

export interface LogWindowOptions {
  /** Memory that is kept, roughly (32 MiB). */
  maxBytes?: number
  /** Items handed out at a time (256). */
  maxItems?: number
  /** Serves readers that lag behind what is kept. */
  readWanted?: ReadWanted | undefined
  /** Whether the log still has an event where it was read. */
  holds?: ((place: EventPlace) => Promise<boolean>) | undefined
  /** Told that the log was found to be set back, once nothing of before is kept. */
  onSetBack?: (() => void) | undefined
}

/** An event and its place in the log. */
export interface EventPlace {
  position: number
  eventId: string
}

/** The log as many readers share it. */
export interface LogWindow {
  read: ReadLog
  /** Says that the log may have grown: its end is looked for anew. */
  refresh: () => void
  /** Looks whether what is kept is of the log as it is; whoever has lost a connection does, for a standby may have taken over. */
  check: () => Promise<void>
  /** Forgets everything: the log was set back. What is being read meanwhile tells nothing. */
  clear: () => void
}

/**
 * Lets any number of readers follow the log at the price of one: the newest events stay in memory,
 * readers that want the same stretch at the same time share one query, and where the end was found,
 * nobody looks again before `refresh`. Whoever lags behind what is kept reads for himself, and no more than
 * he may want: many that lag, each at a place of his own, would else read everything as often as there are of them.
 */
export function createLogWindow(
  read: ReadLog,
  { maxBytes = 32 * 1024 * 1024, maxItems = 256, readWanted, holds, onSetBack }: LogWindowOptions = {},
): LogWindow {
  let items: (LoggedEvent | Hole)[] = []
  let after = 0 // the window says everything about positions from here …
  let upTo = 0 // … up to here
  let bytes = 0
  let end: number | undefined // where nothing followed since the last refresh
  let underWay = new Map<number, Promise<Stretch>>() // begun since the last refresh
  let wantedUnderWay = new Map<MayWant, Map<number, Promise<Stretch | undefined>>>()
  let newest: EventPlace | undefined
  let era = {} // another after each time that the log was set back

  function keep(position: number, stretch: Stretch): void {
    if (stretch.upTo === position || position < upTo) return
    if (position > upTo) {
      items = []
      bytes = 0
      after = position
    }
    upTo = stretch.upTo
    for (const item of stretch.items) {
      items.push(item)
      bytes += bytesOf(item)
      if ("id" in item) newest = { position: item.position, eventId: item.id }
    }
    let surplus = 0
    for (const item of items) {
      if (bytes <= maxBytes) break
      bytes -= bytesOf(item)
      after = lastOf(item)
      surplus++
    }
    if (surplus > 0) items.splice(0, surplus)
  }

  function held(position: number): Stretch | undefined {
    if (position < after || position >= upTo) return undefined
    const first = firstBehind(items, position)
    const found = items.slice(first, first + maxItems)
    const last = found.at(-1)
    const whole = first + found.length === items.length
    return { items: found, upTo: whole || last === undefined ? upTo : lastOf(last) }
  }

  function clear(): void {
    era = {}
    items = []
    after = upTo = bytes = 0
    newest = end = undefined
    underWay = new Map()
    wantedUnderWay = new Map()
  }

  function setBack(): void {
    clear()
    onSetBack?.()
  }

  async function check(): Promise<void> {
    const current = era
    if (newest === undefined || holds === undefined || (await holds(newest)) || current !== era) return
    setBack()
  }

  /** What was read, and nothing where the log was set back: readers are told otherwise where to go on. */
  async function checked<T extends Stretch | undefined>(
    position: number,
    reading: Promise<T>,
    isStored = (stretch: Stretch) => stretch.head !== undefined,
  ): Promise<T | Stretch> {
    const current = era
    const stretch = await reading
    if (stretch === undefined) return stretch
    if (current === era && stretch.head !== undefined && stretch.head < position) setBack()
    // After the reading, so that nothing of another log passes.
    if (current === era && stretch.upTo > position && isStored(stretch)) await check()
    return current === era ? stretch : { items: [], upTo: position }
  }

  async function readOn(position: number, shared: typeof underWay): Promise<Stretch> {
    try {
      const current = era
      const stretch = await checked(position, read(position))
      if (current !== era) return stretch
      keep(position, stretch)
      if (stretch.upTo === position && shared === underWay) end = position
      return stretch
    } finally {
      shared.delete(position)
    }
  }

  /** Partitions of one consumer that lag together share what is under way. */
  async function readAlone(position: number, mayWant: MayWant): Promise<Stretch | undefined> {
    const shared = wantedUnderWay.get(mayWant) ?? new Map<number, Promise<Stretch | undefined>>()
    wantedUnderWay.set(mayWant, shared)
    const known = shared.get(position)
    if (known !== undefined) return known
    const reading = readWanted && checked(position, readWanted(position, mayWant), () => true)
    if (reading === undefined) return undefined
    shared.set(position, reading)
    try {
      return await reading
    } finally {
      shared.delete(position)
      if (shared.size === 0 && wantedUnderWay.get(mayWant) === shared) wantedUnderWay.delete(mayWant)
    }
  }

  return {
    async read(position, mayWant) {
      const known = held(position)
      if (known !== undefined) return known
      if (position < after && mayWant !== undefined) {
        const wanted = await readAlone(position, mayWant)
        if (wanted !== undefined) return wanted
      }
      if (position === end) return { items: [], upTo: position }
      let stretch = underWay.get(position)
      if (stretch === undefined) {
        stretch = readOn(position, underWay)
        underWay.set(position, stretch)
      }
      return stretch
    },
    refresh() {
      end = undefined
      // What is under way may have looked before the growth: who comes now does not wait for that.
      underWay = new Map()
    },
    check,
    clear,
  }
}

function firstBehind(items: readonly (LoggedEvent | Hole)[], position: number): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = items[middle]
    if (item !== undefined && lastOf(item) <= position) low = middle + 1
    else high = middle
  }
  return low
}

function lastOf(item: LoggedEvent | Hole): number {
  return "to" in item ? item.to : item.position
}

function bytesOf(item: LoggedEvent | Hole): number {
  return "to" in item ? holeWeight : eventWeight(item)
}
