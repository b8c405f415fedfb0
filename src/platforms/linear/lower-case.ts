import { isSerial } from "./stop-words.ts"

const near = 128

/**
 * Whether the place of something like `eng-123` in running text tells that it is an identifier: it stands
 * in brackets (`[eng-123, eng-124]`, `feat(eng-123): …`), alone on its line or before a line's colon, begins
 * the first line, looks like a branch's name (`dev/eng-123-login`) or is called one, or ends the first line
 * behind a preposition (`Clean up for eng-123`).
 */
export function isTold(text: string, number: string, start: number, end: number): boolean {
  const before = text.slice(Math.max(0, start - near), start)
  const after = text.slice(end, end + near)
  if (isBracketed(before, after)) return true
  if (number.length < 2) return false
  const isInFirstLine = start <= near && !before.trimStart().includes("\n")
  return (
    isOwnLine(before, after, number) ||
    isCalledBranch(before, after) ||
    (isInFirstLine && firstWords.test(before)) ||
    ((isInFirstLine || isSerial(number)) && isBranchLike(before, after, isInFirstLine)) ||
    (isSerial(number) && isInFirstLine && isLastWord(before, after))
  )
}

const opening = /[[(](?:[A-Za-z0-9]{1,7}-\d{1,7}[,;/&+ \t]{1,3}){0,8}$/
const closing = /^(?:[,;/&+ \t]{1,3}[A-Za-z0-9]{1,7}-\d{1,7}){0,8}[\])]/

function isBracketed(before: string, after: string): boolean {
  return opening.test(before) && closing.test(after)
}

const lineBefore = /(?:^|\n)[ \t]*(?<mark>[-*+][ \t]+)?(?:[A-Za-z0-9]{1,7}-\d{1,7}[,;/&+ \t]{1,3}){0,8}$/
const lineAfter = /^(?:(?:[,;/&+ \t]{1,3}[A-Za-z0-9]{1,7}-\d{1,7}){0,8}[ \t]*(?:\r?\n|$)|:[ \t])/

/** Nothing but identifiers on the line, or, in the list of a squash's commits, the beginning of a subject. */
function isOwnLine(before: string, after: string, number: string): boolean {
  const line = lineBefore.exec(before)
  if (line === null || (line.groups?.["mark"] !== undefined && number.length < 3)) return false
  return lineAfter.test(after)
}

/** What the words around it call a branch: "the eng-123 branch". */
function isCalledBranch(before: string, after: string): boolean {
  return /\bbranch\s+[`'"]?$/i.test(before) || /^[`'"]?\s+branch\b/i.test(after)
}

/**
 * Nothing, or what a subject begins with before it comes to its matter: a revert's quotation mark, a
 * conventional commit's type (`feat(web): `), `WIP`, `RELEASE`.
 */
const firstWords =
  /^\s*(?:(?:Revert|Reapply) "){0,4}(?:[a-z]{2,10}(?:\([\w ,./-]{1,60}\))?!?:\s*)?(?:\[?(?:wip|draft|release|patch|hotfix|backport|minor|major)\]?:?\s+){0,2}$/i

/** A word like `feat/eng-123-add-login`; past the first line, one that goes on with words. */
function isBranchLike(before: string, after: string, isInFirstLine: boolean): boolean {
  if (!/(?:^|[\s("'`[])(?:[\w-]{1,40}\/){1,4}$/.test(before)) return false
  const rest = /^[\w./-]*/.exec(after)?.[0] ?? ""
  return isInFirstLine || (/^-[A-Za-z]/.test(rest) && !/\.\w/.test(rest))
}

const preposition = /(?:\b(?:on|in|for|of|from|to|via|see|per|with|and|after)|&)\s+[`'"]?$/i

function isLastWord(before: string, after: string): boolean {
  return preposition.test(before) && /^[`'"]?(?:[ \t]+\(#\d{1,9}\))?[ \t.]*(?:\r?\n|$)/.test(after)
}
