import { entityKind } from "../core/entity-key.ts"

/** A part of a text, by its offsets. */
export interface Place {
  start: number
  end: number
}

/** Where a text may name a thing. */
export interface NamePlace extends Place {
  /** It is all of the name, and no part that may be another's. */
  whole: boolean
  /** Letters or digits stand beside it. */
  joined: boolean
}

const maxPlaces = 3

/**
 * Where a text has the id of one of the keys, or the part of it by which it goes within a repository; those to
 * which nothing is joined first. At most 3.
 */
export function placesOf(text: string, targets: readonly string[]): NamePlace[] {
  // A bare number may count anything.
  const whole = targets.map(idOf).filter((id) => /\D/.test(id))
  const names = new Set(whole.map((id) => id.toLowerCase()))
  const apart = matchesOf(text, namesOf(targets), apartForm)
  const joined = matchesOf(text, whole, joinedForm)
  return [
    ...apart.map((place) => ({ ...place, joined: false })),
    ...joined.map((place) => ({ ...place, joined: true })),
  ]
    .slice(0, maxPlaces)
    .map((place) => ({ ...place, whole: names.has(text.slice(place.start, place.end).toLowerCase()) }))
}

/** The text with other numbers wherever it names the things but at the place; its lists stay lists. */
export function namedOnceAt(text: string, targets: readonly string[], { start: at }: Place): string {
  let changed = ""
  let done = 0
  for (const { start, end } of matchesOf(text, namesOf(targets), apartForm)) {
    if (start === at) continue
    const name = text.slice(start, end)
    changed += text.slice(done, start) + name.replace(/\d$/, (digit) => String((Number(digit) % 9) + 1))
    done = end
  }
  return changed + text.slice(done)
}

function namesOf(targets: readonly string[]): string[] {
  const ids = targets.map(idOf)
  const parts = ids.map((id) => /#\d+$/.exec(id)?.[0] ?? /@(.{3,})$/.exec(id)?.[1])
  return [...ids, ...parts.filter((part) => part !== undefined)]
}

/** `ENG` of `linear:issue:ENG-123`; nothing of other keys. */
export function teamKeyOf(target: string): string[] {
  return /^([A-Z0-9]+)-\d+$/.exec(idOf(target))?.slice(1) ?? []
}

const apartForm = (name: string): string => String.raw`(?<![\p{L}\p{N}])${name}(?![\p{L}\p{N}])`
// A digit behind it, or before one of its own, would make it another's name.
const joinedForm = (name: string): string =>
  String.raw`(?:(?<=\p{L})|(?<=\p{N})(?!\p{N}))${name}(?!\p{N})|(?<![\p{L}\p{N}])${name}(?=\p{L})`

function matchesOf(text: string, names: readonly string[], form: (name: string) => string): Place[] {
  if (names.length === 0) return []
  const anyOf = names.map((name) => name.replaceAll(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|")
  return [...text.matchAll(new RegExp(form(`(?:${anyOf})`), "giu"))].map(({ 0: name, index }) => ({
    start: index,
    end: index + name.length,
  }))
}

function idOf(key: string): string {
  return key.slice(entityKind(key).length + 1)
}
