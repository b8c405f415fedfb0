import type { ReadLog, Stretch } from "./log-window.ts"

/** Reads what follows a stretch while its reader is busy with it; one stretch ahead and no more. */
export function readAhead(read: ReadLog): ReadLog {
  let next: { after: number; stretch: Promise<Stretch> } | undefined
  return async (after) => {
    const known = next?.after === after ? next.stretch : read(after)
    next = undefined
    const stretch = await known
    if (stretch.upTo > after) {
      next = { after: stretch.upTo, stretch: read(stretch.upTo) }
      next.stretch.catch(() => {}) // told when it is asked for
    }
    return stretch
  }
}
