/** Tests an event type against a compiled pattern. */
export type TypeMatcher = (type: string) => boolean

/**
 * Compiles a type pattern. Segments are separated by dots; `*` stands for one segment, and at the
 * end for one or more (`deployment.*`, `github.pull_request.*`); `**` for any number, none included.
 */
export function compilePattern(pattern: string): TypeMatcher {
  if (!pattern.includes("*")) return (type) => type === pattern
  if (pattern === "*" || pattern === "**") return () => true
  const segments = pattern.split(".")
  const expression = segments.map((segment, index) => {
    const first = index === 0
    if (segment === "**") return first ? "(?:[^.]+(?:\\.|$))*" : "(?:\\.[^.]+)*"
    const body =
      segment === "*"
        ? index === segments.length - 1
          ? "[^.]+(?:\\.[^.]+)*"
          : "[^.]+"
        : segment.split("*").map(escape).join("[^.]*")
    const separator = first || (index === 1 && segments[0] === "**") ? "" : "\\."
    return separator + body
  })
  const compiled = new RegExp(`^${expression.join("")}$`)
  return (type) => compiled.test(type)
}

/** Whether any of the patterns matches; an empty list matches nothing. */
export function compilePatterns(patterns: readonly string[]): TypeMatcher {
  const matchers = patterns.map(compilePattern)
  return (type) => matchers.some((matches) => matches(type))
}

function escape(text: string): string {
  return text.replace(/[.+?^${}()|[\]\\]/g, "\\$&")
}
