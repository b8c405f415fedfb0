/** What one question of a filter about an event may still cost; below zero it is spent. */
export interface Steps {
  left: number
}

/** The work one filter may put into one event, over all its conditions and values: a few milliseconds. */
export const maxSteps = 100_000

/** The work all filters of a selection together may put into one event, however many they are. */
export const maxSelectionSteps = 10 * maxSteps

/** A fresh allowance, for one event and one filter. */
export function createSteps(limit = maxSteps): Steps {
  return { left: limit }
}

/** Takes `cost` off the allowance; false where it did not reach, and from then on. */
export function spend(steps: Steps, cost: number): boolean {
  if (steps.left < 0) return false
  steps.left -= cost
  return steps.left >= 0
}

/** Whether something was left unlooked at, so that "not found" says nothing. */
export function isSpent(steps: Steps): boolean {
  return steps.left < 0
}

/** Marks an allowance as spent: something was left unlooked at for another reason. */
export function exhaust(steps: Steps): void {
  steps.left = -1
}

/** Has one of several filters ask with an allowance of its own, and takes what it spent off theirs together. */
export function askWithin(all: Steps, ask: (own: Steps) => boolean): boolean {
  const given = Math.min(maxSteps, all.left)
  const own = createSteps(given)
  const answer = ask(own)
  all.left -= given - own.left
  return answer
}
