/**
 * As much of Go's text/template as the template in docs/argocd.md needs: `{{ if … }}{{ else }}{{ end }}`,
 * pipes, `printf` of `%s`, `eq`, `and`, and sprig's `dig` and `toJson`. Anything else throws.
 */
export function renderTemplate(template: string, data: unknown): string {
  const chosen = template.replace(
    /\{\{ if (.+?) \}\}(.*?)\{\{ else \}\}(.*?)\{\{ end \}\}/gs,
    (_, condition: string, then: string, otherwise: string) =>
      evaluate(condition, data) === true ? then : otherwise,
  )
  return chosen.replace(/\{\{ (.+?) \}\}/gs, (_, expression: string) => String(evaluate(expression, data)))
}

type Tree = string | Tree[]

function evaluate(expression: string, data: unknown): unknown {
  const stages = splitPipes(parse(expression.match(/"[^"]*"|[()|]|[^\s()|]+/g) ?? []))
  return stages.reduce<unknown[]>((piped, stage) => [call(stage, piped, data)], [])[0]
}

function parse(tokens: string[]): Tree[] {
  const tree: Tree[] = []
  for (let token = tokens.shift(); token !== undefined && token !== ")"; token = tokens.shift()) {
    tree.push(token === "(" ? parse(tokens) : token)
  }
  return tree
}

function splitPipes(tree: Tree[]): Tree[][] {
  const at = tree.indexOf("|")
  return at === -1 ? [tree] : [tree.slice(0, at), ...splitPipes(tree.slice(at + 1))]
}

function call([name, ...rest]: Tree[], piped: readonly unknown[], data: unknown): unknown {
  const args = [...rest.map((one) => value(one, data)), ...piped]
  if (typeof name !== "string") return value(name ?? "", data)
  if (name.startsWith(".")) return field(data, name.slice(1).split("."))
  switch (name) {
    case "toJson":
      return JSON.stringify(args[0] ?? null)
    case "eq":
      return args[0] === args[1]
    case "and":
      return args.every((arg) => arg === true)
    case "printf": {
      const [format, ...values] = args
      return String(format).replaceAll("%s", () => String(values.shift()))
    }
    case "dig": {
      const path = args.slice(0, -2).map(String)
      return field(args.at(-1), path) ?? args.at(-2)
    }
    default:
      throw new Error(`the template calls ${name}, which is not known here`)
  }
}

function value(tree: Tree, data: unknown): unknown {
  if (typeof tree !== "string") return call(tree, [], data)
  return tree.startsWith('"') ? JSON.parse(tree) : field(data, tree.slice(1).split("."))
}

function field(from: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (current, name) =>
      typeof current === "object" && current !== null ? Reflect.get(current, name) : undefined,
    from,
  )
}
