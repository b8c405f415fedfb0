import type { FoundIdentifier } from "./branch-mentions.ts"
import { identifiersInBranch } from "./branch-mentions.ts"
import { isOneList, type MagicWord, magicWordBefore } from "./magic-words.ts"
import { isStopWord } from "./stop-words.ts"

/** An identifier in running text, with the magic word that governs it. */
export interface FoundInText extends FoundIdentifier {
  word: MagicWord | null
}

const candidate = /(?<![A-Za-z0-9])([A-Za-z0-9]{1,7})-([1-9]\d{0,6})(?![A-Za-z0-9])/g

/**
 * Identifiers in a title, a body or a message. In upper case they count wherever they stand; in lower
 * case only in brackets (`[eng-123]`, `feat(eng-123): …`), after a magic word, as the first words of the
 * text, and in the branches that a merge's subject names.
 */
export function identifiersInText(text: string): FoundInText[] {
  const branches = mergedBranches(text)
  const found: FoundInText[] = []
  let last: FoundInText | undefined
  for (const match of text.matchAll(candidate)) {
    const [identifier, key = ""] = match
    const start = match.index
    const end = start + identifier.length
    if (branches.some((branch) => start < branch.end && end > branch.start)) continue
    if (isStopWord(key) || !/[A-Za-z]/.test(key) || !standsAlone(text, start, end)) continue
    const inherited = last !== undefined && isOneList(text, last.start, last.end, start) ? last.word : null
    const word = inherited ?? magicWordBefore(text, start)
    if (word === null && !isPlausible(text, key, start, end)) continue
    last = { identifier, start, end, word }
    found.push(last)
  }
  for (const { start, end } of branches) {
    for (const one of identifiersInBranch(text.slice(start, end))) {
      found.push({ ...one, start: one.start + start, end: one.end + start, word: null })
    }
  }
  return found
}

/** Whether it is no part of a longer word, number, path or address. */
function standsAlone(text: string, start: number, end: number): boolean {
  if (/[-.@=&$%\\~^_?+]$/.test(text.slice(Math.max(0, start - 1), start))) return false
  if (/^(?:\.\w|-\d|_\d|[@=%\\])/.test(text.slice(end, end + 2))) return false
  const word = /[^\s|<>()[\]"`]*$/.exec(text.slice(Math.max(0, start - 256), start))
  return word === null || !word[0].includes("://") // the address is its platform's to read
}

function isPlausible(text: string, key: string, start: number, end: number): boolean {
  if (key === key.toUpperCase()) return /^[A-Z][A-Z0-9]/.test(key)
  if (!/^[A-Za-z]{2,5}$/.test(key)) return false
  const opened = text.charAt(start - 1)
  const closed = text.charAt(end)
  if ((opened === "[" && closed === "]") || (opened === "(" && closed === ")")) return true
  const digits = end - start - key.length - 1
  return digits > 1 && start <= 96 && (firstWords.test(text.slice(0, start)) || isBranchLike(text, start))
}

/** In the first line, a word like `feat/eng-123-add-login`: titles are often the branch's name. */
function isBranchLike(text: string, start: number): boolean {
  const line = text.slice(0, start)
  return !line.includes("\n") && /(?:^|\s)(?:[\w-]{1,40}\/)+$/.test(line)
}

/** Nothing, or what a conventional commit begins with: `feat(web): `. */
const firstWords = /^\s*(?:[a-z]{2,10}(?:\([\w ,./-]{1,60}\))?!?:\s*)?$/i

interface Span {
  start: number
  end: number
}

const merge =
  /\bMerge (?:remote-tracking )?branch '([^'\n]{1,255})'(?: of \S{1,255})?(?: into '?([^\s']{1,255})'?)?|\bMerge pull request #\d{1,9} from [^\s/]{1,100}\/(\S{1,255})/dg

/** Where the subjects of merges name branches. */
function mergedBranches(text: string): Span[] {
  if (!text.includes("Merge ")) return []
  return [...text.matchAll(merge)].flatMap(({ indices }) =>
    (indices ?? [])
      .slice(1)
      .flatMap((span) => (span === undefined ? [] : [{ start: span[0], end: span[1] }])),
  )
}
