import { isSameCommit, type DeploymentState } from "../store/deployment-tracks.ts"

/** What is there after a state of a track: indexes of its states, -1 for none that is known. */
export interface There {
  /** The state with the version that is there. */
  version: number
  /** The last by which the deployment that is there came to be that. */
  by: number
  /** Whether the state takes its own deployment out: it was live there, and another version is put back. */
  isTakenBack: boolean
}

const nothing: There = { version: -1, by: -1, isTakenBack: false }

/**
 * For each state of a track, what is there from then on; of `inactive`, what it took down. A rollback puts back
 * the commit that it names: where that is the deployment's own, or it never was live, it is what is there. One
 * that names none takes its deployment out where that is there, and else puts it back where it was live before.
 */
export function whatIsThere(states: readonly DeploymentState[]): readonly There[] {
  const there: There[] = []
  const successes = new Map<string, Successes>()
  for (const [index, state] of states.entries()) {
    const own = successes.get(state.deployment)
    if (state.status === "success") {
      there.push({ version: index, by: index, isTakenBack: false })
      successes.set(state.deployment, { last: index, shas: (own?.shas ?? new Set()).add(state.sha) })
    } else if (state.status !== "rolled_back") there.push(there.at(-1) ?? nothing)
    else
      there.push(state.sha === null ? rollBack(states, there, own) : putBack(states, there, state.sha, own))
  }
  return there
}

/** Of a deployment: where it last succeeded, and the commits with which it did. */
interface Successes {
  last: number
  shas: Set<string | null>
}

/** After a rollback that names the commit that it puts back; `there` is of the states before it. */
function putBack(
  states: readonly DeploymentState[],
  there: readonly There[],
  sha: string,
  own: Successes | undefined,
): There {
  const index = there.length
  const isNamed = (other: string | null | undefined): boolean =>
    typeof other === "string" && isSameCommit(other, sha)
  if (own === undefined || [...own.shas].some(isNamed))
    return { version: index, by: index, isTakenBack: false }
  const by = there.findLastIndex((one, at) => one.by === at && isNamed(states[at]?.sha))
  return { version: by === -1 ? index : by, by, isTakenBack: true }
}

/** After a rollback that names no commit. */
function rollBack(
  states: readonly DeploymentState[],
  there: readonly There[],
  own: Successes | undefined,
): There {
  const [index, last] = [there.length, there.at(-1) ?? nothing]
  const deployment = states[index]?.deployment
  const before = states[index - 1]
  if (before?.status === "rolled_back" && before.deployment === deployment) return last // told again
  if (own === undefined) return { ...versionBefore(states, there), by: index, isTakenBack: false }
  if (states[last.by]?.deployment !== deployment)
    return { version: own.last, by: own.last, isTakenBack: false }
  return { ...versionBefore(states, there), isTakenBack: true }
}

/** What was there before the deployment whose version is there now. */
function versionBefore(states: readonly DeploymentState[], there: readonly There[]): There {
  let at = there.at(-1)?.version ?? -1
  const deployment = states[at]?.deployment
  for (let one = there[at]; one !== undefined && states[one.by]?.deployment === deployment; one = there[at]) {
    at = Math.min(one.version, at - 1)
  }
  return there[at] ?? nothing
}
