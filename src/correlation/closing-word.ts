// The words by which Linear and GitHub close an issue from a text.
const wordsAtEnd =
  /(?:^|[^\p{L}\p{N}_])(?:clos(?:e|es|ed|ing)|fix(?:|es|ed|ing)|resolv(?:e|es|ed|ing)|complet(?:e|es|ed|ing))\s{0,4}:?[\s([<*_"'+-]{0,12}$/iu
const listSeparator = /^[\s)\]>*_"']{0,8}(?:,(?:\s{0,4}and)?|;|&|and\b|\n\s{0,8}[-*+])[\s([<*_"']{0,8}$/i

/** Whether the words just before `at` close what stands there: `Closes `, `Fixes:`, `Resolves\n`. */
export function isClosedAt(text: string, at: number): boolean {
  return wordsAtEnd.test(text.slice(Math.max(0, at - 32), at))
}

/** Whether only what separates the items of a list stands between two links: `Closes A, B and C`. */
export function isListGap(text: string, from: number, to: number): boolean {
  return to > from && to - from <= 32 && listSeparator.test(text.slice(from, to))
}
