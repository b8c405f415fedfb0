import type { Place } from "./name-places.ts"

/** The part of a text around a place, read in place of the whole. */
export interface TextWindow {
  text: string
  /** Where the place is in it. */
  place: Place
  /** Where it begins in the whole, so that a place in it is one in the whole. */
  shift: number
  /** The whole with another text where the window is. */
  whole(changed: string): string
}

const behind = 1_024
const ahead = 256

/** The window around a place; the whole where that is hardly longer. */
export function windowAt(text: string, { start, end }: Place): TextWindow {
  if (text.length <= 2 * (behind + ahead)) return wholeOf(text, { start, end })
  const from = Math.max(0, start - behind)
  const to = end + ahead
  // Whatever begins within a text is not its first line.
  const lead = from === 0 ? "" : "\n"
  const shift = from - lead.length
  return {
    text: lead + text.slice(from, to),
    place: { start: start - shift, end: end - shift },
    shift,
    whole: (changed) => text.slice(0, from) + changed.slice(lead.length) + text.slice(to),
  }
}

/** The whole as a window. */
export function wholeOf(text: string, place: Place): TextWindow {
  return { text, place, shift: 0, whole: (changed) => changed }
}
