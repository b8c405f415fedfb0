/** Runs items side by side, those of one key after another in the order they came. */
export interface Lane<Item> {
  push(items: readonly Item[]): void
  /**
   * Adds items that let all others go first, and take every eighth turn where those would never end. In the
   * order of a key they stand behind what was pushed before them, and let pass what comes after.
   */
  pushLater(items: readonly Item[]): void
  /** Looks again whether something may start. */
  pump(): void
  /** Resolves when there is room for more, or the lane was closed. */
  room(): Promise<void>
  /** Whether there is room for more of what lets all others go first. */
  hasLaterRoom(): boolean
  /** Resolves when nothing runs and nothing is unsettled, and nothing waits unless the lane is closed. */
  idle(): Promise<void>
  /** Takes out what waits and is meant, in its order. */
  withdraw(isMeant: (item: Item) => boolean): Item[]
  /** Starts nothing any more, and hands back what has not started. */
  close(): Item[]
}

export interface LaneOptions<Item, Outcome> {
  /** Runs at the same time. */
  concurrency: number
  /** There is room while fewer than this many wait to start. */
  lowWater: number
  /** There is room for what lets others go first while fewer than this many of it wait. */
  laterLowWater: number
  /** There is room while those that wait are smaller than this together. */
  maxBytes: number
  sizeOf(item: Item): number
  /** There is room while fewer than this many outcomes are on their way to the database. */
  maxUnsettled: number
  keyOf(item: Item): string
  /** Whether anything may start now; `pump` is to be called when that changes. */
  ready(): boolean
  /** Must not reject. */
  run(item: Item): Promise<Outcome>
  /** Called when there may be room again for what lets all others go first. */
  onLaterRoom(): void
  /** Writes an outcome, while the next items run already. Must not reject. */
  settle(item: Item, outcome: Outcome): Promise<void>
}

const laterEvery = 8

/** Makes a lane. */
export function createLane<Item, Outcome>(options: LaneOptions<Item, Outcome>): Lane<Item> {
  let waiting: Item[] = []
  let later: Item[] = []
  let passed = 0 // started while others let them go first
  let bytes = 0 // of those waiting
  const busy = new Set<string>()
  let running = 0
  let unsettled = 0
  let closed = false
  let watchers: (() => void)[] = []

  const hasRoom = () =>
    closed ||
    (waiting.length < options.lowWater && bytes < options.maxBytes && unsettled < options.maxUnsettled)
  const isIdle = () =>
    running === 0 && unsettled === 0 && (closed || (waiting.length === 0 && later.length === 0))
  const hasLaterRoom = () => !closed && later.length < options.laterLowWater

  function pump(): void {
    for (let item = next(); item !== undefined; item = next()) void start(item)
    const told = watchers
    watchers = []
    for (const tell of told) tell()
  }

  function next(): Item | undefined {
    if (closed || running >= options.concurrency || !options.ready()) return undefined
    return passed < laterEvery - 1 ? (first() ?? firstLater()) : (firstLater() ?? first())
  }

  function first(): Item | undefined {
    const item = takeStartable(waiting)
    if (item === undefined) return undefined
    bytes -= options.sizeOf(item)
    if (later.length > 0) passed++
    return item
  }

  function firstLater(): Item | undefined {
    const item = takeStartable(later)
    if (item === undefined) return undefined
    passed = 0
    if (later.length === options.laterLowWater - 1) options.onLaterRoom()
    return item
  }

  function takeStartable(items: Item[]): Item | undefined {
    const index = items.findIndex((item) => !busy.has(options.keyOf(item)))
    return index === -1 ? undefined : items.splice(index, 1)[0]
  }

  async function start(item: Item): Promise<void> {
    const key = options.keyOf(item)
    busy.add(key)
    running++
    const outcome = await options.run(item)
    busy.delete(key)
    running--
    unsettled++
    pump()
    await options.settle(item, outcome)
    unsettled--
    pump()
  }

  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => watchers.push(resolve))
  }

  return {
    push(items) {
      waiting.push(...items)
      for (const item of items) bytes += options.sizeOf(item)
      pump()
    },
    pushLater(items) {
      later.push(...items)
      pump()
    },
    pump,
    room: () => until(hasRoom),
    hasLaterRoom,
    idle: () => until(isIdle),
    withdraw(isMeant) {
      const taken = waiting.filter(isMeant)
      const takenLater = later.filter(isMeant)
      if (taken.length > 0) waiting = waiting.filter((item) => !isMeant(item))
      if (takenLater.length > 0) later = later.filter((item) => !isMeant(item))
      for (const item of taken) bytes -= options.sizeOf(item)
      return [...taken, ...takenLater]
    },
    close() {
      closed = true
      const unstarted = [...waiting, ...later]
      waiting = []
      later = []
      bytes = 0
      pump()
      return unstarted
    },
  }
}
