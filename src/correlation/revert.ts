const step = /^(Revert|Reapply) "/
const conventional = /^revert(?:\([^()\n]{1,100}\))?!?: */i

/**
 * Whether a title is that of a revert, as GitHub, git and conventional commits write them. Two reverts
 * undo each other: `Revert "Revert "Add limits""` and `Reapply "Add limits"` add the limits. A
 * `revert: ` before such a title says the same once more.
 */
export function isRevert(title: string): boolean {
  const type = conventional.exec(title)
  let rest = title.slice(type?.[0].length ?? 0)
  let reverts = type !== null && !step.test(rest)
  for (let match = step.exec(rest); match !== null; match = step.exec(rest)) {
    if (match[1] === "Revert") reverts = !reverts
    rest = rest.slice(match[0].length)
  }
  return reverts
}
