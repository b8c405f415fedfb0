/** A field of a GraphQL document, as far as the world of Linear reads one. */
export interface Selected {
  /** What the answer calls it. */
  as: string
  name: string
  args: string
  children: Selected[]
}

/** The fields of a document's only operation; directives and inline fragments are not read. */
export function selectionOf(document: string): Selected[] {
  const operation = document.slice(document.indexOf("{", headEnd(document)))
  const tokens = operation.match(/\.\.\.\w+|\w+|\([^)]*\)|[{}:]/g) ?? []
  let at = 0
  function fields(): Selected[] {
    const found: Selected[] = []
    at++ // {
    while (at < tokens.length && tokens[at] !== "}") {
      let name = tokens[at++] ?? ""
      if (name.startsWith("...")) continue
      const as = name
      if (tokens[at] === ":") {
        name = tokens[at + 1] ?? ""
        at += 2
      }
      const args = tokens[at]?.startsWith("(") === true ? (tokens[at++] ?? "") : ""
      found.push({ as, name, args, children: tokens[at] === "{" ? fields() : [] })
    }
    at++ // }
    return found
  }
  return fields()
}

/** After the operation's own variables, whose default values may hold braces. */
function headEnd(document: string): number {
  return /^\s*(?:query|mutation)\s*\w*\s*(?:\([^)]*\))?/.exec(document)?.[0].length ?? 0
}

/** What Linear counts: a tenth a value, one a thing, and a connection as often as it may hold things. */
export function complexityOf(fields: readonly Selected[]): number {
  let points = 0
  for (const { name, args, children } of fields) {
    if (name === "nodes") points += complexityOf(children)
    else if (children.length === 0) points += 0.1
    else
      points +=
        1 + complexityOf(children) * (children.some((child) => child.name === "nodes") ? firstOf(args) : 1)
  }
  return points
}

function firstOf(args: string): number {
  return Number(/first: *(\d+)/.exec(args)?.[1] ?? 50)
}
