import type { Entry } from "./entry.ts"

/** The newest entries of the log, without a hole between them, bounded by bytes. */
export interface Ring {
  /** Whether it holds everything that follows `position`. */
  covers(position: number): boolean
  /** Entries that follow `position`, oldest first, at most `limit`; ask `covers` before. */
  after(position: number, limit: number): Entry[]
  push(entry: Entry): void
  /** Forgets all; what is pushed next follows `position`. */
  clear(position: number): void
  readonly bytes: number
}

/** Makes a ring of `maxBytes`. The newest entry stays whatever its size, for those who are served from here. */
export function createRing(maxBytes: number): Ring {
  let entries: Entry[] = []
  let floor = 0
  let bytes = 0

  /** Makes more room than is wanted: what is taken out moves all the others up. */
  function evict(): void {
    if (bytes <= maxBytes) return
    let count = 0
    for (const entry of entries) {
      if (bytes <= maxBytes - maxBytes / 32 || count === entries.length - 1) break
      bytes -= entry.bytes
      floor = entry.position
      count++
    }
    if (count > 0) entries.splice(0, count)
  }

  /** Index of the first entry past `position`. */
  function indexAfter(position: number): number {
    let low = 0
    let high = entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((entries[middle]?.position ?? Infinity) > position) high = middle
      else low = middle + 1
    }
    return low
  }

  return {
    covers: (position) => position >= floor,
    after: (position, limit) => {
      const start = indexAfter(position)
      return entries.slice(start, start + limit)
    },
    push: (entry) => {
      entries.push(entry)
      bytes += entry.bytes
      evict()
    },
    clear: (position) => {
      entries = []
      floor = position
      bytes = 0
    },
    get bytes() {
      return bytes
    },
  }
}
