import type { KnownNames, Mention, Platform, TextField } from "../core/platform.ts"
import { namedOnceAt, placesOf, teamKeyOf, type NamePlace, type Place } from "./name-places.ts"
import type { Pace } from "./pace.ts"
import { maxTextLength, readableText, readText } from "./read-text.ts"
import { splitQuoted } from "./split-quoted.ts"
import { wholeOf, windowAt, type TextWindow } from "./text-window.ts"
import { cureAt, type Cure, type Names, type Reason, type Trial } from "./trials.ts"

/** A name that stands in a text and was not taken for a mention, and why. */
export interface Unread {
  kind: Reason
  field: string
  text: string
  start: number
  end: number
}

/** What names are read by, and how far the reading may go. */
export interface UnreadOptions {
  known?: KnownNames
  pace?: Pace
}

// What a text shows without saying it stands between such marks, in whichever format.
const mayHide = /[`<>~]|&gt;/

/**
 * Where a text names a thing (by any of its keys, `targets`) and no mention of it is read, with the least
 * change to the text by which one would be: so it tells the reason without knowing how each platform reads.
 * Nothing where the text mentions it elsewhere. At most 3 places a text.
 */
export async function unreadMentions(
  platforms: readonly Platform[],
  field: TextField,
  subject: string | null,
  targets: readonly string[],
  { known = {}, pace }: UnreadOptions = {},
): Promise<Unread[]> {
  if (field.format === "url") return []
  const own = field.format
  const unquoted = own === "branch" ? "branch" : "plain"
  const text = readableText(field.text)
  const teams = targets.flatMap(teamKeyOf)
  const isKnown = known.teamKeys === undefined || teams.every((key) => known.teamKeys?.has(key) === true)
  const isHeard = teams.length === 0 || (isKnown && known.teamKeys !== undefined)
  const names: Names = {
    any: isKnown ? null : {},
    heard: isHeard ? null : { teamKeys: new Set([...(known.teamKeys ?? []), ...teams]) },
  }
  const isOfTargets = ({ entity, relation }: Mention): boolean =>
    targets.includes(entity) && relation !== "may_name"
  const readAll = async (changed: string, format: TextField["format"], by = known): Promise<Mention[]> => {
    await pace?.read(changed.length)
    return readText(platforms, { ...field, format, text: changed }, subject, by)
  }
  const read = async (changed: string, format: TextField["format"], by?: KnownNames): Promise<Mention[]> =>
    (await readAll(changed, format, by)).filter(isOfTargets)
  const readsAt = async (place: Place, changed: string, format: TextField["format"], by?: KnownNames) =>
    (await read(changed, format, by)).some(({ start, end }) => start < place.end && end > place.start)

  const all = await readAll(text, own)
  const mentions = all.filter(isOfTargets)
  if (mentions.some(({ relation }) => relation !== "quotes")) return []
  const mayBeUnsaid = unquoted !== own && mayHide.test(text)
  const [quoted] = mentions.length > 0 || !mayBeUnsaid ? mentions : await read(text, unquoted)
  if (quoted !== undefined) return [unread("quoted", field, quoted)]

  const [foreign] = names.any === null ? [] : await read(text, own, names.any)
  if (foreign !== undefined && (await readsAt(foreign, text, own, names.heard ?? known))) {
    return [unread("unknown_team", field, foreign)]
  }

  const { said, quoted: quotedLines } = splitQuoted(text, own)
  const found: Unread[] = []
  const skippedElsewhere: Unread[] = [] // a word that skips the name at one place skips it at all
  for (const place of placesOf(field.text, targets)) {
    if (place.end > maxTextLength) {
      if (!place.joined) found.push(unread("past_the_end", field, place))
      continue
    }
    if (place.joined && all.some(({ start, end }) => start < place.end && end > place.start)) continue
    const shown = [said, quotedLines].find((part) => part?.slice(place.start, place.end).trim())
    const cure = typeof shown === "string" ? await cureIn(shown, place, own) : null
    if (cure === "elsewhere") skippedElsewhere.push(unread("skip_word", field, place))
    else if (cure !== null) found.push(unread(cure.kind, field, { start: cure.start, end: place.end }))
    else if (mayBeUnsaid && (await cureIn(text, place, unquoted)) !== null) {
      // Whatever else was changed, it would not be read as long as it is shown and not said.
      found.push(unread("quoted", field, place))
    } else if (place.whole && !place.joined) {
      found.push(unread("not_recognized", field, place)) // `#42` alone may be another's
    }
  }
  return found.some(({ kind }) => kind === "skip_word") ? found : [...skippedElsewhere.slice(0, 1), ...found]

  /** What would make a mention of the place: tried on what stands around it where the whole agrees. */
  async function cureIn(whole: string, place: NamePlace, format: TextField["format"]) {
    const alone = place.joined ? whole : namedOnceAt(whole, targets, place)
    const cureWithin = async (near: TextWindow): Promise<Cure | "elsewhere" | null> => {
      const isRead: Trial = async (changed, by) => readsAt(near.place, changed, format, by)
      if (await isRead(near.text)) return near.text === whole ? null : "elsewhere"
      return cureAt(near, { joined: place.joined, asks: format !== "branch", names }, isRead)
    }
    const near = format === "branch" ? wholeOf(alone, place) : windowAt(alone, place)
    const cure = await cureWithin(near)
    if (cure === null || near.text === alone) return cure
    if (cure !== "elsewhere" && (await readsAt(place, near.whole(cure.changed), format, cure.by))) {
      return { ...cure, start: cure.start + near.shift }
    }
    return cureWithin(wholeOf(alone, place))
  }
}

function unread(kind: Reason, { field, text }: TextField, { start, end }: Place): Unread {
  return { kind, field, text: text.slice(start, end), start, end }
}
