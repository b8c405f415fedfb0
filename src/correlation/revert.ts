const step = /^(Revert|Reapply) "/

/**
 * Whether a title is that of a revert, as GitHub and git write them. Two reverts undo each other:
 * `Revert "Revert "Add limits""` and `Reapply "Add limits"` add the limits.
 */
export function isRevert(title: string): boolean {
  let reverts = false
  let rest = title
  for (let match = step.exec(rest); match !== null; match = step.exec(rest)) {
    if (match[1] === "Revert") reverts = !reverts
    rest = rest.slice(match[0].length)
  }
  return reverts
}
