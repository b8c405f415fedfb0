/**
 * As much of the conditions of Argo CD's triggers as docs/argocd.md needs: `==`, `!=` and `in` of a path, joined by
 * `and`. Anything else throws.
 */
export function isTriggered(when: string, data: unknown): boolean {
  return when.split(" and ").every((clause) => {
    const [, path = "", operator = "", given = ""] = /^(\S+) (==|!=|in) (.+)$/.exec(clause) ?? []
    if (path === "") throw new Error(`the condition ${clause} is not known here`)
    const is = path.split(".").reduce<unknown>(member, data) ?? null
    const wanted: unknown = JSON.parse(given === "nil" ? "null" : given.replaceAll("'", '"'))
    if (operator === "in") return Array.isArray(wanted) && wanted.includes(is)
    return (is === wanted) === (operator === "==")
  })
}

function member(from: unknown, name: string): unknown {
  return typeof from === "object" && from !== null ? Reflect.get(from, name) : undefined
}
