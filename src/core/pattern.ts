/** Tests an event type against a compiled pattern. */
export type TypeMatcher = (type: string) => boolean

/**
 * Compiles a type pattern. Segments are separated by dots; `*` stands for one segment, and at the
 * end for one or more (`deployment.*`, `github.pull_request.*`); `**` for any number, none included.
 * Within a segment `*` stands for any letters, none included.
 */
export function compilePattern(pattern: string): TypeMatcher {
  if (pattern === "*") return () => true
  const segments = pattern.split(".")
  return compile(pattern, segments.at(-1) === "*" ? [...segments, "**"] : segments)
}

/** The same for names of streams, in which `*` stands for one segment everywhere. */
export function compileTopic(pattern: string): TypeMatcher {
  return compile(pattern, pattern.split("."))
}

function compile(pattern: string, segments: readonly string[]): TypeMatcher {
  if (!pattern.includes("*")) return (type) => type === pattern
  if (pattern === "**") return () => true
  const first = segments.findIndex((segment) => segment.includes("*"))
  const stem = segments.slice(0, first).join(".")
  const begin = `${stem}.`
  const rest = segments.slice(first).join(".")
  // What most patterns are, and every event of a stream is asked.
  if (first > 0 && rest === "**") return (type) => type === stem || type.startsWith(begin)
  if (first > 0 && rest === "*.**") return (type) => type.length > begin.length && type.startsWith(begin)
  return (type) => covers(segments, type.split("."), "**", fitsSegment)
}

/** Whether any of the patterns matches; an empty list matches nothing. */
export function compilePatterns(patterns: readonly string[]): TypeMatcher {
  const matchers = patterns.map(compilePattern)
  return (type) => matchers.some((matches) => matches(type))
}

function fitsSegment(wanted: string, segment: string): boolean {
  if (!wanted.includes("*")) return wanted === segment
  return wanted === "*" ? segment !== "" : covers(wanted, segment, "*", isSame)
}

function isSame(wanted: string, found: string): boolean {
  return wanted === found
}

/**
 * Whether `found` is what is wanted, piece by piece, where `many` stands for any number of pieces. Never tries
 * more than the last `many` anew, which takes as long as both are long at most: a regular expression of
 * a row of stars takes for ever, and anybody who may read streams may ask for one.
 */
function covers(
  wanted: ArrayLike<string>,
  found: ArrayLike<string>,
  many: string,
  fits: (wanted: string, found: string) => boolean,
): boolean {
  let at = 0
  let next = 0
  let lastMany = -1
  let tried = 0
  while (next < found.length) {
    const piece = wanted[at]
    if (piece === many) {
      lastMany = at++
      tried = next
    } else if (piece !== undefined && fits(piece, found[next] ?? "")) {
      at++
      next++
    } else if (lastMany !== -1) {
      at = lastMany + 1
      next = ++tried
    } else {
      return false
    }
  }
  while (wanted[at] === many) at++
  return at === wanted.length
}
