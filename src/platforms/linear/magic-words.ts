/**
 * What the words before an identifier make of it: `closes` by a closing word (`Fixes ENG-1`), `refers`
 * by a phrase that names it without closing it (`Part of ENG-1`), `skips` where it is to be left
 * unlinked (`skip ENG-1`); null where no such word stands there.
 */
export type MagicWord = "closes" | "refers" | "skips"

const closing =
  "clos(?:e[sd]?|ing)|fix(?:e[sd]|ing)?|resolv(?:e[sd]?|ing)|complet(?:e[sd]?|ing)|implement(?:s|ed|ing)?"
const referring =
  "refs?|references?|part of|relate[sd] to|related|contributes to|towards?|follow(?:s|-| )?up (?:to|for|on)|depends on|blocked by|linear|issues?|tickets?"
const skipping = "skip(?:s|ping)?|ignor(?:e[sd]?|ing)"

// Between word and identifier: a colon, `issue`, emphasis and brackets, one line break at most.
const before = new RegExp(
  `(?:^|[^\\p{L}\\p{N}_-]|_)(?:(?<closes>${closing})|(?<refers>${referring})|(?<skips>${skipping}))` +
    "[*_]{0,3}[ \\t]{0,4}:?[*_]{0,3}(?:[ \\t]{1,4}(?:linear|issues?|tickets?):?)?" +
    "(?:[ \\t]{0,4}\\r?\\n[ \\t]{0,8}(?:[-*+][ \\t]{1,4})?)?[ \\t]{0,4}[[(<*_`#\"']{0,6}$",
  "iu",
)
const negated =
  /(?:\b(?:not|never|no|without)|n['’]t|\b(?:(?:would|could|might)(?:[ \t]+not|n['’]t)?|(?:should|must)(?:[ \t]+not|n['’]t))[ \t]+have)[ \t]+$/i
const lookBehind = 48

/** The magic word that ends just before `at`. */
export function magicWordBefore(text: string, at: number): MagicWord | null {
  const words = text.slice(Math.max(0, at - lookBehind), at)
  const match = before.exec(words)
  if (match === null) return null
  const isNegated = negated.test(words.slice(0, match.index + 1))
  if (match.groups?.["skips"] !== undefined) return isNegated ? null : "skips"
  if (match.groups?.["refers"] !== undefined) return "refers"
  // `does not fix ENG-1` and `would have fixed ENG-1` still refer to it.
  return isNegated ? "refers" : "closes"
}

// What stands between two items: the rest of a link (its address is blanked), brackets, a comma or a word.
const gap =
  /^(?:\]\(\uFFFC{1,200}\))?[\])>*_`"']{0,6}(?:[ \t]*(?:,|;|&|\+|\/|and\b|or\b))+[ \t]*(?:\r?\n[ \t]*)?[[(<*_`"'#]{0,6}$/i
const nextBullet = /^[^\n]*\r?\n[ \t]*[-*+][ \t]+[[(<*_`"'#]{0,6}$/
const bullet = /(?:^|\n)[ \t]*[-*+][ \t]+[[(<*_`"'#]{0,6}$/

/**
 * Whether two identifiers are items of one list: `ENG-1, ENG-2 and ENG-3`, or the beginnings of
 * successive bullets. `first` is where the first begins, `from` where it ends.
 */
export function isOneList(text: string, first: number, from: number, to: number): boolean {
  if (to <= from || to - from > 256) return false
  const between = text.slice(from, to)
  if (gap.test(between)) return true
  return nextBullet.test(between) && bullet.test(text.slice(Math.max(0, first - 32), first))
}
