import { anyCandidate, type FoundIdentifier, identifiersInBranch } from "./branch-mentions.ts"
import { branchSpans } from "./branch-spans.ts"
import { isTold } from "./lower-case.ts"
import { isOneList, type MagicWord, magicWordBefore } from "./magic-words.ts"
import { isStopWord } from "./stop-words.ts"

/** An identifier in running text, with the magic word that governs it. */
export interface FoundInText extends FoundIdentifier {
  word: MagicWord | null
}

// In capitals a letter may follow that tells a part of the issue: `ENG-725B`.
const candidate =
  /(?<![A-Za-z0-9])([A-Za-z0-9]{1,7})-([1-9]\d{0,6})(?:(?![A-Za-z0-9])|(?<=[A-Z]-\d+)(?=[A-D](?![\w-])))/g
const address = /(?:\blinear\.app|\blinear:\/)\/[\w.-]{1,64}\/issue\/$/i

/**
 * Identifiers in a title, a body or a message. In upper case they count wherever they stand; in lower
 * case where the place tells them (`lower-case.ts`), after a magic word, and in the names of branches.
 * Where the teams' keys are known, theirs alone count, in any case.
 */
export function identifiersInText(text: string, teamKeys?: ReadonlySet<string>): FoundInText[] {
  const branches = branchSpans(text)
  const firstBreak = text.indexOf("\n")
  const firstLineEnd = firstBreak === -1 ? text.length : firstBreak
  const found: FoundInText[] = []
  let last: FoundInText | undefined
  for (const match of text.matchAll(teamKeys === undefined ? candidate : anyCandidate)) {
    const [identifier, key = "", number = ""] = match
    const start = match.index
    const end = start + identifier.length
    if (branches.some((branch) => start < branch.end && end > branch.start)) continue
    const isAddress = address.test(text.slice(Math.max(0, start - 90), start))
    const mayBe =
      teamKeys === undefined
        ? isAddress || (!isStopWord(key, number) && /[A-Za-z]/.test(key) && standsAlone(text, start, end))
        : isAddress || (teamKeys.has(key.toUpperCase()) && isWhole(text, start, end))
    if (!mayBe) continue
    const inherited = last !== undefined && isOneList(text, last.start, last.end, start) ? last.word : null
    const word = inherited ?? magicWordBefore(text, start)
    const counts =
      teamKeys !== undefined || isAddress || isPlausible(text, key, number, start, end, word, firstLineEnd)
    if (!counts) continue
    last = { identifier, start, end, word }
    found.push(last)
  }
  for (const { start, end } of branches) {
    for (const one of identifiersInBranch(text.slice(start, end), teamKeys)) {
      found.push({ ...one, start: one.start + start, end: one.end + start, word: null })
    }
  }
  return found
}

/** Whether it is no part of a longer word, number, path or address. */
function standsAlone(text: string, start: number, end: number): boolean {
  if (/[-.@=&$%\\~^_?+]$/.test(text.slice(Math.max(0, start - 1), start))) return false
  if (/^(?:\.\w|-\d|_\d|[@=%\\])/.test(text.slice(end, end + 2))) return false
  return isOutsideAddress(text, start)
}

/** Whether the number ends where it seems to, and the whole is no part of a mail's or another address. */
function isWhole(text: string, start: number, end: number): boolean {
  return !/^(?:@|\.[a-z\d]|-\d+[-.]\d)/.test(text.slice(end, end + 12)) && isOutsideAddress(text, start)
}

/** An address is its platform's to read. */
function isOutsideAddress(text: string, start: number): boolean {
  const word = /[^\s|<>()[\]"`]*$/.exec(text.slice(Math.max(0, start - 256), start))?.[0] ?? ""
  return !word.includes("://") && !word.includes("@")
}

function isPlausible(
  text: string,
  key: string,
  number: string,
  start: number,
  end: number,
  word: MagicWord | null,
  firstLineEnd: number,
): boolean {
  if (key === key.toUpperCase()) {
    if (word !== null) return true
    // `TL-1`, `FR-2` in a body: what specifications and reviews number their points by.
    if (key.length === 2 && number.length === 1 && start > firstLineEnd) return false
    return /^[A-Z][A-Z0-9]/.test(key)
  }
  if (word !== null) return key.length > 1
  return /^[A-Za-z]{2,5}$/.test(key) && isTold(text, number, start, end)
}
