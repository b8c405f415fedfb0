/** A part of a text, by its offsets. */
export interface Span {
  start: number
  end: number
}

const mergeLine =
  /(?:^[ \t]*(?:[-*+][ \t]+)?(?:Revert "|Squash(?:ed)? |Auto-?)?Merged? |\bMerge (?:remote-tracking )?branch(?:es)? ')[^\n]{1,1024}/gim
const namesBranches = /\bbranch(?:es)?\b|\bpull request\b|\bremote-tracking\b|\borigin\/|\binto\b/i
const branchWord = /[A-Za-z0-9][\w./-]{0,254}/g
const oneWord = /^\s*(?<branch>[A-Za-z0-9][\w/-]{0,254})(?:[ \t]+\(#\d{1,9}\))?[ \t]*(?:\r?\n|$)/d

/** Branches looked for in one text; no list of merges is of use past this. */
const maxSpans = 200

/**
 * Where a text names branches: in the subjects of merges (`Merge branch 'main' into eng-12-login`,
 * `Merge pull request #4 from acme/eng-12-login`), one of which may be a line of a squash's list; and
 * where its first line is nothing but one (titles often are).
 */
export function branchSpans(text: string): Span[] {
  const spans: Span[] = []
  const title = oneWord.exec(text)?.indices?.groups?.["branch"]
  if (title !== undefined && /[A-Za-z0-9][-/][A-Za-z]/.test(text.slice(...title))) {
    spans.push({ start: title[0], end: title[1] })
  }
  if (!/merge/i.test(text)) return spans
  for (const line of text.matchAll(mergeLine)) {
    if (!namesBranches.test(line[0])) continue
    for (const word of line[0].matchAll(branchWord)) {
      if (!/-\d/.test(word[0])) continue
      const start = line.index + word.index
      spans.push({ start, end: start + word[0].length })
      if (spans.length === maxSpans) return spans
    }
  }
  return spans
}
