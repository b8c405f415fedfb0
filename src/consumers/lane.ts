/** Runs items side by side, those of one key after another in the order they came. */
export interface Lane<Item> {
  push(items: readonly Item[]): void
  /** Looks again whether something may start. */
  pump(): void
  /** Resolves when there is room for more, or the lane was closed. */
  room(): Promise<void>
  /** Resolves when nothing runs and nothing is unsettled, and nothing waits unless the lane is closed. */
  idle(): Promise<void>
  /** Starts nothing any more, and hands back what has not started. */
  close(): Item[]
}

export interface LaneOptions<Item, Outcome> {
  /** Runs at the same time. */
  concurrency: number
  /** There is room while fewer than this many wait to start. */
  lowWater: number
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
  /** Writes an outcome, while the next items run already. Must not reject. */
  settle(item: Item, outcome: Outcome): Promise<void>
}

/** Makes a lane. */
export function createLane<Item, Outcome>(options: LaneOptions<Item, Outcome>): Lane<Item> {
  let waiting: Item[] = []
  let bytes = 0 // of those waiting
  const busy = new Set<string>()
  let running = 0
  let unsettled = 0
  let closed = false
  let watchers: (() => void)[] = []

  const hasRoom = () =>
    closed ||
    (waiting.length < options.lowWater && bytes < options.maxBytes && unsettled < options.maxUnsettled)
  const isIdle = () => running === 0 && unsettled === 0 && (closed || waiting.length === 0)

  function pump(): void {
    for (let item = next(); item !== undefined; item = next()) void start(item)
    const told = watchers
    watchers = []
    for (const tell of told) tell()
  }

  function next(): Item | undefined {
    if (closed || running >= options.concurrency || !options.ready()) return undefined
    const index = waiting.findIndex((item) => !busy.has(options.keyOf(item)))
    if (index === -1) return undefined
    const [item] = waiting.splice(index, 1)
    if (item !== undefined) bytes -= options.sizeOf(item)
    return item
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
    pump,
    room: () => until(hasRoom),
    idle: () => until(isIdle),
    close() {
      closed = true
      const unstarted = waiting
      waiting = []
      bytes = 0
      pump()
      return unstarted
    },
  }
}
