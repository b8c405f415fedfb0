// What may stand before the matter of a title: `[WIP] `, `chore(api): `. A name in it is the work's own.
const prefix =
  /^\s*(?:(?:\[(?!revert\])[a-z ._/-]{1,40}\]|(?!revert\b)[a-z]{2,20}(?:\([^()\n]{1,100}\))?!?:)\s*){0,4}/i
const mark = /^(?:\[revert\]:?|revert(?:\([^()\n]{1,100}\))?!?:)\s*/i
const quoted = /^(revert|reapply) *["'“”„«‘’`]\s*/i
const bare = /^(?:revert|reverts|reverting)\s+(?=\S)/i

/**
 * Whether a title is that of a revert, as GitHub, git, conventional commits and people write them. Two reverts
 * undo each other: `Revert "Revert "Add limits""` and `Reapply "Add limits"` add the limits. A `revert: ` or
 * `[Revert] ` before such a title says the same once more.
 */
export function isRevert(title: string): boolean {
  let rest = after(prefix, title)
  const marked = after(mark, rest)
  const isMarked = marked !== rest
  rest = marked
  let reverts = isMarked && !quoted.test(rest) && !bare.test(rest)
  for (let match = quoted.exec(rest); match !== null; match = quoted.exec(rest)) {
    if (match[1]?.toLowerCase() === "revert") reverts = !reverts
    rest = rest.slice(match[0].length)
  }
  return bare.test(rest) ? !reverts : reverts
}

function after(pattern: RegExp, text: string): string {
  return text.replace(pattern, "")
}
