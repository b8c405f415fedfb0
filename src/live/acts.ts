import type { Ancestry } from "./ancestry.ts"
import type { Change } from "./change.ts"

/** One commit that bears on whether a change is in: it brings it, reverts it, reverts a revert of it, and so on. */
export interface Act {
  /** Null where no commit is known: a deployment may say all the same that it ships the change. */
  sha: string | null
  /** The change that it brings. */
  change: Change
  /** How many reverts away from the change that is asked about; where it is odd, it takes that out. */
  depth: number
}

/** How something bears on a change: by itself, or by what a pull request took along, so many reverts away. */
interface Step {
  change: Change
  by: Change | null
  depth: number
}

/**
 * All that bears on a change: its own commits, those of what reverts it, step by step, and those of pull
 * requests whose own branch it was on. Such a one takes along how the change stood on that branch, so its
 * commit brings it or takes it out. `merged` leaves out what is only on the branch of a pull request.
 */
export function actsOn(change: Change, ancestry: Ancestry, { merged = false } = {}): Act[] {
  const steps = stepsTo(change)
  const outcomes = new Map<Change, boolean | null>()

  const takenAlong = (by: Change): boolean | null => {
    const known = outcomes.get(by)
    if (known !== undefined) return known
    outcomes.set(by, null) // of two that took along each other, which no history has, neither counts
    const { head } = by
    const held = head === null ? [] : actsOf((sha) => sha !== null && ancestry.contains(head, sha))
    // What its own commit stands on anyway, it leaves as it is: it was merged with its history, or catches up.
    const isNews = held.some(
      ({ sha }) => !by.carriers.some((own) => sha !== null && ancestry.contains(own, sha)),
    )
    const outcome = isNews ? isIn(held, ancestry) : null
    outcomes.set(by, outcome)
    return outcome
  }

  const actsOf = (where: (sha: string | null) => boolean): Act[] =>
    steps.flatMap(({ change: one, by, depth }) => {
      const shas = commitsOf(one, merged || one === by).filter(where)
      if (shas.length === 0) return []
      const outcome = by === null ? true : takenAlong(by)
      if (outcome === null) return []
      return shas.map((sha) => ({ sha, change: one, depth: outcome ? depth : depth + 1 }))
    })

  return actsOf(() => true)
}

// What reverts something bears on it by that, whatever its branch may have taken along besides.
function stepsTo(change: Change): Step[] {
  const steps = new Map<Change, Step>()
  const add = (step: Step): void => {
    if (steps.has(step.change)) return
    const { by } = step
    const own = new Map([[step.change, step]])
    // A Map goes on over what is added on the way. Reverts of each other in a circle come up once.
    for (const [one, { depth }] of own) {
      steps.set(one, { change: one, by, depth })
      for (const reverter of one.reverters) {
        if (steps.has(reverter) || own.has(reverter)) continue
        own.set(reverter, { change: reverter, by, depth: depth + 1 })
      }
    }
  }
  add({ change, by: null, depth: 0 })
  for (const one of steps.keys()) for (const by of one.takenAlongBy) add({ change: by, by, depth: 0 })
  return [...steps.values()]
}

function commitsOf({ carriers, head }: Change, merged: boolean): (string | null)[] {
  const shas = merged || head === null || carriers.includes(head) ? carriers : [...carriers, head]
  return shas.length === 0 ? [null] : [...shas]
}

/**
 * Whether a change is in, where all these acts are: the last of them tells. A line of code has no memory of
 * what was reverted by what, so a second revert of the same counts like the first. Of two of which neither
 * is known to hold the other, the one that reverts counts as the later.
 */
export function isIn(acts: readonly Act[], ancestry: Ancestry): boolean {
  const out = acts.filter(({ depth }) => depth % 2 === 1)
  return acts.some((act) => act.depth % 2 === 0 && !out.some((other) => isUndone(act, other, ancestry)))
}

function isUndone(act: Act, by: Act, { contains }: Ancestry): boolean {
  const [own, other] = [act.sha, by.sha]
  if (own !== null && other !== null && own !== other) {
    if (contains(own, other)) return false
    if (contains(other, own)) return true
  }
  return by.depth > act.depth
}
