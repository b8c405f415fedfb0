import { isSameCommit, type DeploymentState } from "../store/deployment-tracks.ts"

/**
 * For each state of a track, whether it takes its deployment out: it was live there, and another version is
 * put back in its place. Where it names the deployment's own commit, or it never was live, it is what is there.
 */
export function takenBack(states: readonly DeploymentState[]): readonly boolean[] {
  const versions = new Map<string, (string | null)[]>()
  return states.map(({ deployment, status, sha }) => {
    const own = versions.get(deployment)
    if (status === "success") {
      if (own === undefined) versions.set(deployment, [sha])
      else if (own.at(-1) !== sha) own.push(sha)
    }
    if (status !== "rolled_back" || own === undefined) return false
    return sha === null || !own.some((version) => version !== null && isSameCommit(version, sha))
  })
}
