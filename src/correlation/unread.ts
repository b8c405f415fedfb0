import type { Finding } from "../core/explanation.ts"
import type { KnownNames, Mention, Platform, TextField } from "../core/platform.ts"
import { blank } from "./hide-unsaid.ts"
import { namedOnceAt, placesOf, teamKeyOf, type Place } from "./name-places.ts"
import { maxTextLength, readableText, readText } from "./read-text.ts"

type Reason = Extract<
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

/** A name that stands in a text and was not taken for a mention, and why. */
export interface Unread {
  kind: Reason
  field: string
  text: string
  start: number
  end: number
}

/** Whether a changed text mentions the thing at a place. */
type Trial = (changed: string, names?: KnownNames) => boolean

const lookBehind = 64
const lookAhead = 16
/** A list of some sixty names may stand between one of them and the word that skips them all. */
const lookBehindSkip = 512

/**
 * Where a text names a thing (by any of its keys, `targets`) and no mention of it is read, with the least
 * change to the text by which one would be: so it tells the reason without knowing how each platform reads.
 * Nothing where the text mentions it elsewhere. At most 3 places a text.
 */
export function unreadMentions(
  platforms: readonly Platform[],
  field: TextField,
  subject: string | null,
  targets: readonly string[],
  known: KnownNames = {},
): Unread[] {
  const text = readableText(field.text)
  const read = (changed: string, format: TextField["format"], names = known): Mention[] =>
    readText(platforms, { ...field, format, text: changed }, subject, names).filter(
      ({ entity, relation }) => targets.includes(entity) && relation !== "may_name",
    )
  if (field.format === "url") return []
  const mentions = read(text, field.format)
  if (mentions.some(({ relation }) => relation !== "quotes")) return []
  const unquoted = field.format === "branch" ? "branch" : "plain"
  const [quoted] = mentions.length > 0 ? mentions : read(text, unquoted)
  if (quoted !== undefined) return [unread("quoted", field, quoted)]

  const [foreign] = known.teamKeys === undefined ? [] : read(text, unquoted, {})
  if (foreign !== undefined) return [unread("unknown_team", field, foreign)]

  const heard = { teamKeys: new Set(targets.flatMap(teamKeyOf)) }
  return placesOf(field.text, targets).flatMap((place) => {
    const covers = ({ start, end }: Place): boolean => start < place.end && end > place.start
    const isRead: Trial = (changed, names) => read(changed, unquoted, names).some(covers)
    if (place.joined) {
      const isOther = (): boolean => readText(platforms, { ...field, text }, subject, known).some(covers)
      return isRead(besideBlanks(text, place)) && !isOther() ? [unread("joined", field, place)] : []
    }
    if (place.end > maxTextLength) return [unread("past_the_end", field, place)]
    // A word that skips the name elsewhere skips it here.
    const alone = namedOnceAt(text, targets, place)
    const skips = unquoted === "branch" ? null : skipWordBefore(alone, place, isRead)
    if (skips !== null) return [unread("skip_word", field, { start: skips, end: place.end })]
    const upper = inCapitals(alone, place)
    const trials: [Reason, () => boolean][] = [
      ["lower_case", () => isRead(upper)],
      ["joined", () => isRead(besideBlanks(alone, place))],
      ["lower_case", () => isRead(besideBlanks(upper, place))],
      ["unknown_team", () => isRead(upper, {})],
      ["reserved_key", () => isRead(alone, heard)],
    ]
    const found = trials.find(([, cures]) => cures())
    if (found !== undefined) return [unread(found[0], field, place)]
    return place.whole ? [unread("not_recognized", field, place)] : [] // `#42` alone may be another's
  })
}

/**
 * Where the word begins that asks not to link what stands at the place, known by what its loss changes; null
 * where no word does. Of the words before, as few are taken as have to be, from the furthest on.
 */
function skipWordBefore(text: string, { start }: Place, isRead: Trial): number | null {
  const from = Math.max(0, start - lookBehindSkip)
  const before = text.slice(from, start)
  const words = [...before.matchAll(/\p{L}+/gu)]
  const isReadWithout = (count: number): boolean => {
    const end = words[count]?.index ?? before.length
    return isRead(
      text.slice(0, from) + before.slice(0, end).replaceAll(/\p{L}/gu, "x") + text.slice(from + end),
    )
  }
  // What the name is a part of, an address mostly, has to stay.
  const apart = words.filter(({ index }) => /\s/.test(before.slice(index))).length
  let enough = [...new Set([apart, words.length])].find((count) => count > 0 && isReadWithout(count))
  if (enough === undefined) return null
  for (let few = 0; enough - few > 1;) {
    const half = Math.floor((few + enough) / 2)
    if (isReadWithout(half)) enough = half
    else few = half
  }
  return from + (words[enough - 1]?.index ?? 0)
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

function unread(kind: Reason, { field, text }: TextField, { start, end }: Place): Unread {
  return { kind, field, text: text.slice(start, end), start, end }
}
