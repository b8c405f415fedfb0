import type { Finding } from "../core/explanation.ts"
import type { KnownNames } from "../core/platform.ts"
import { blank } from "./hide-unsaid.ts"
import type { Place } from "./name-places.ts"

/** Why a name in a text was not taken for a mention. */
export type Reason = Extract<
  Finding["kind"],
  | "skip_word"
  | "quoted"
  | "lower_case"
  | "joined"
  | "unknown_team"
  | "reserved_key"
  | "past_the_end"
  | "not_recognized"
>

/** Whether a changed text mentions the thing at a place, read by other names where some are given. */
export type Trial = (changed: string, by?: KnownNames) => Promise<boolean>

/** Names by which a text is tried. */
export interface Names {
  /** Those by which a name of any team may be read; null where the thing's own team is known, or none is. */
  any: KnownNames | null
  /** Those known, had an event shown the thing's team; null where one has. */
  heard: KnownNames | null
}

/** The change to a text by which a name in it is read. */
export interface Cure {
  kind: Reason
  /** Where what is told of begins: the name, or the word that skips it. */
  start: number
  changed: string
  by?: KnownNames
}

/** What is to be tried. */
export interface TrialOptions {
  /** Letters or digits stand beside the name. */
  joined: boolean
  /** It is a text in which somebody may ask for something. */
  asks: boolean
  names: Names
}

const lookBehind = 64
const lookAhead = 16
/** A list of some sixty names may stand between one of them and the word that skips them all. */
const lookBehindSkip = 512

/**
 * The least change by which the name at a place would be read; null where none would do. What would keep it
 * from being read were its team known, keeps it from that before.
 */
export async function cureAt(
  { text, place }: { text: string; place: Place },
  { joined, asks, names: { any, heard } }: TrialOptions,
  isRead: Trial,
): Promise<Cure | null> {
  const isReadOnceHeard = heard !== null && (await isRead(text, heard))
  if (heard !== null && !isReadOnceHeard) {
    const remains = await changeAt(text, place, { joined, asks }, async (changed) => isRead(changed, heard))
    if (remains !== null) return { ...remains, by: heard }
  }
  const change = await changeAt(text, place, { joined, asks }, isRead)
  if (change !== null || joined || !isReadOnceHeard) return change
  const mayBeAny = any !== null && (await isRead(inCapitals(text, place), any))
  return { kind: mayBeAny ? "unknown_team" : "reserved_key", start: place.start, changed: text, by: heard }
}

async function changeAt(
  text: string,
  place: Place,
  { joined, asks }: Pick<TrialOptions, "joined" | "asks">,
  isRead: Trial,
): Promise<Cure | null> {
  const { start } = place
  const apart = besideBlanks(text, place)
  if (joined) return (await isRead(apart)) ? { kind: "joined", start, changed: apart } : null
  const skips = asks ? await skipWordBefore(text, place, isRead) : null
  if (skips !== null) return skips
  const upper = inCapitals(text, place)
  const trials: [Reason, string][] = [
    ["lower_case", upper],
    ["joined", apart],
    ["lower_case", besideBlanks(upper, place)],
  ]
  for (const [kind, changed] of trials) if (await isRead(changed)) return { kind, start, changed }
  return null
}

/**
 * The word that asks not to link what stands at the place, known by what its loss changes; null where none does.
 * Of the words before, as few are taken as have to be, from the furthest on.
 */
async function skipWordBefore(text: string, { start }: Place, isRead: Trial): Promise<Cure | null> {
  const from = Math.max(0, start - lookBehindSkip)
  const before = text.slice(from, start)
  const words = [...before.matchAll(/\p{L}+/gu)]
  const without = (count: number): string => {
    const end = words[count]?.index ?? before.length
    return text.slice(0, from) + before.slice(0, end).replaceAll(/\p{L}/gu, "x") + text.slice(from + end)
  }
  // What the name is a part of, an address mostly, has to stay.
  const apart = words.filter(({ index }) => /\s/.test(before.slice(index))).length
  let enough = 0
  for (const count of new Set([apart, words.length])) {
    if (enough === 0 && count > 0 && (await isRead(without(count)))) enough = count
  }
  if (enough === 0) return null
  for (let few = 0; enough - few > 1;) {
    const half = Math.floor((few + enough) / 2)
    if (await isRead(without(half))) enough = half
    else few = half
  }
  const at = from + (words[enough - 1]?.index ?? 0)
  return { kind: "skip_word", start: at, changed: without(enough) }
}

function inCapitals(text: string, { start, end }: Place): string {
  return text.slice(0, start) + text.slice(start, end).toUpperCase() + text.slice(end)
}

/** The text with blanks around what stands at the place. */
function besideBlanks(text: string, { start, end }: Place): string {
  const from = Math.max(0, start - lookBehind)
  const to = end + lookAhead
  return (
    text.slice(0, from) +
    blank(text.slice(from, start)) +
    text.slice(start, end) +
    blank(text.slice(end, to)) +
    text.slice(to)
  )
}
