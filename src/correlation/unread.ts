import { entityKind } from "../core/entity-key.ts"
import type { Finding } from "../core/explanation.ts"
import type { KnownNames, Mention, Platform, TextField } from "../core/platform.ts"
import { maxTextLength, readableText, readText } from "./read-text.ts"

type Reason = Extract<
  Finding["kind"],
  "skip_word" | "quoted" | "lower_case" | "joined" | "unknown_team" | "past_the_end" | "not_recognized"
>

/** A name that stands in a text and was not taken for a mention, and why. */
export interface Unread {
  kind: Reason
  field: string
  text: string
  start: number
  end: number
}

interface Place {
  start: number
  end: number
}

const maxPlaces = 3
const lookBehind = 64
const lookAhead = 16

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

  return placesOf(field.text, targets).flatMap((place) => {
    if (place.end > maxTextLength) return [unread("past_the_end", field, place)]
    const cured = changesAt(text, place).find(([, changed]) =>
      read(changed, unquoted).some(({ start, end }) => start < place.end && end > place.start),
    )
    if (cured !== undefined) return [unread(cured[0], field, place)]
    return place.whole ? [unread("not_recognized", field, place)] : [] // `#42` alone may be another's
  })
}

/** Changes that leave the name where it is, each with what it shows where it makes a mention of it. */
function changesAt(text: string, { start, end }: Place): [Reason, string][] {
  const from = Math.max(0, start - lookBehind)
  const before = text.slice(from, start)
  const name = text.slice(start, end)
  const after = text.slice(end, end + lookAhead)
  const changed = (left: string, middle: string, right: string): string =>
    text.slice(0, from) + left + middle + right + text.slice(end + after.length)
  const upper = name.toUpperCase()
  return [
    ["skip_word", changed(before.replaceAll(/\p{L}/gu, "x"), name, after)],
    ["lower_case", changed(before, upper, after)],
    ["joined", changed(blank(before), name, blank(after))],
    ["lower_case", changed(blank(before), upper, blank(after))],
  ]
}

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, " ")
}

/** Where a text has the id of one of the keys, or the part of it by which it goes within a repository. */
function placesOf(text: string, targets: readonly string[]): (Place & { whole: boolean })[] {
  const ids = targets.map(idOf)
  const parts = ids.map((id) => /#\d+$/.exec(id)?.[0] ?? /@(.{3,})$/.exec(id)?.[1])
  const names = [...ids, ...parts.filter((part) => part !== undefined)]
  const pattern = names.map((name) => name.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|")
  const matches = text.matchAll(new RegExp(`(?<![\\p{L}\\p{N}])(?:${pattern})(?![\\p{L}\\p{N}])`, "giu"))
  // A bare number may count anything.
  const whole = new Set(ids.filter((id) => /\D/.test(id)).map((id) => id.toLowerCase()))
  return [...matches].slice(0, maxPlaces).map(({ 0: name, index }) => ({
    start: index,
    end: index + name.length,
    whole: whole.has(name.toLowerCase()),
  }))
}

function idOf(key: string): string {
  return key.slice(entityKind(key).length + 1)
}

function unread(kind: Reason, { field, text }: TextField, { start, end }: Place): Unread {
  // Of what stands before, a skip word alone is shown: the rest may be anything, a secret too.
  const before = kind === "skip_word" ? /\p{L}{1,20}[^\p{L}\p{N}]{1,8}$/u.exec(text.slice(0, start)) : null
  const from = start - (before?.[0].length ?? 0)
  return { kind, field, text: text.slice(from, end), start: from, end }
}
