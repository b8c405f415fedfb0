// The words by which Linear and GitHub close an issue from a text.
const wordsAtEnd =
  /(?:^|[^\p{L}\p{N}_-])(?:clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|complet(?:e[sd]?|ing)|implement(?:s|ed|ing)?)[*_]{0,3}\s{0,4}:?[\s([<*_"'+-]{0,12}$/iu
const skippingAtEnd =
  /(?:^|[^\p{L}\p{N}_-])(?:skip(?:s|ping)?|ignor(?:e[sd]?|ing))[*_]{0,3}\s{0,4}:?[\s([<*_"'+-]{0,12}$/iu
const negated =
  /(?:\b(?:not|never|no|without)|n['’]t|\b(?:(?:would|could|might)(?:\s+not|n['’]t)?|(?:should|must)(?:\s+not|n['’]t))\s+have)\s+$/i
const listSeparator = /^[\s)\]>*_"']{0,8}(?:,(?:\s{0,4}and)?|;|&|and\b|\n\s{0,8}[-*+])[\s([<*_"']{0,8}$/i
const lookBehind = 48

/** Whether the words just before `at` close what stands there: `Closes `, `Fixes:`, `Resolves\n`. */
export function isClosedAt(text: string, at: number): boolean {
  return endsIn(wordsAtEnd, text, at)
}

/** Whether the word just before `at` asks for what stands there to be left unlinked: `skip `, `Ignores:`. */
export function isSkippedAt(text: string, at: number): boolean {
  return endsIn(skippingAtEnd, text, at)
}

/** Whether such words end at `at`, and are meant: nothing before them says `does not` or `would have`. */
function endsIn(form: RegExp, text: string, at: number): boolean {
  const words = text.slice(Math.max(0, at - lookBehind), at)
  const match = form.exec(words)
  return match !== null && !negated.test(words.slice(0, match.index + 1))
}

/** Whether only what separates the items of a list stands between two links: `Closes A, B and C`. */
export function isListGap(text: string, from: number, to: number): boolean {
  return to > from && to - from <= 32 && listSeparator.test(text.slice(from, to))
}
