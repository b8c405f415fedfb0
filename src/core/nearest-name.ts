/** The known name that is the least edits away, where that is near enough to be what was meant. */
export function nearestName(given: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let least = Math.max(2, Math.floor(given.length / 3)) + 1
  for (const name of known) {
    const edits = distance(given, name)
    if (edits < least) {
      least = edits
      nearest = name
    }
  }
  return nearest
}

const mostTold = 5
const mostLetters = 64

/** That names are none of the known ones, with the nearest of those; `what` says what they would be the names of. */
export function unknownNames(what: string, given: readonly string[], known: readonly string[]): string {
  const told = given.slice(0, mostTold).map((name) => name.slice(0, mostLetters))
  const meant = new Set(told.flatMap((name) => meantBy(name, known) ?? []))
  const more = given.length > told.length ? ` and ${given.length - told.length} more` : ""
  const hint = meant.size === 0 ? "" : `; did you mean ${[...meant].join(", ")}?`
  return `unknown ${what} ${told.map(printable).join(", ")}${more}; known: ${known.join(", ")}${hint}`
}

const mostTried = 256

/**
 * That an object has a member so near a known one which it has not that nothing else can be meant; null where it
 * has none. For objects that may have members besides: of those at most 256 are looked at.
 */
export function misspelt(given: object, known: readonly string[]): string | null {
  const absent = known.filter((name) => !(name in given))
  for (const name of Object.keys(given).slice(0, mostTried)) {
    const meant = known.includes(name) ? undefined : absent.find((one) => isSlipOf(name, one))
    if (meant !== undefined) return `unknown member ${printable(name)}; did you mean ${meant}?`
  }
  return null
}

const shortestSlip = 5

/**
 * Whether nothing but a known name can be meant: case, what joins the words, two neighbours swapped, or one letter
 * within that is another, too much or missing. A letter more or less at an end makes another word too often:
 * `issue`, `actors`, `preferences`.
 */
export function isSlipOf(given: string, known: string): boolean {
  if (given.length > 2 * known.length) return false
  if (lettersOf(given) === lettersOf(known)) return true
  if (known.length < shortestSlip) return false
  const [one, other] = [given.toLowerCase(), known.toLowerCase()]
  const shorter = Math.min(one.length, other.length)
  let before = 0
  while (before < shorter && one[before] === other[before]) before++
  let behind = 0
  while (behind < shorter - before && one.at(-1 - behind) === other.at(-1 - behind)) behind++
  const left = one.slice(before, one.length - behind)
  const right = other.slice(before, other.length - behind)
  if (left.length === 2) return left === right.split("").toReversed().join("")
  return before > 0 && behind > 0 && left.length <= 1 && right.length <= 1
}

function meantBy(name: string, known: readonly string[]): string | undefined {
  return known.find((one) => lettersOf(one) === lettersOf(name)) ?? nearestName(name.toLowerCase(), known)
}

function printable(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : JSON.stringify(name)
}

/** A name without its case and what joins its words, as which `as_of` and `asOf` are one. */
function lettersOf(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "")
}

/** Levenshtein distance, one row at a time. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 0; i < from.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < to.length; j++) {
      const substituted = (row[j] ?? 0) + (from[i] === to[j] ? 0 : 1)
      next.push(Math.min(substituted, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
