import type { AsOf } from "../store/correlations.ts"
import type { Db } from "../store/database.ts"
import { statesOfDeployment, type DeploymentState } from "../store/deployment-tracks.ts"
import { pullRequestsBrought } from "./brought.ts"
import { standingOf } from "./change-status.ts"
import { wholeTracks } from "./load-tracks.ts"
import { whatIsThere } from "./put-back.ts"
import { pendingIn } from "./standing.ts"
import { liveIn, shortTime, type LiveIn, type PendingIn, type Status } from "./status.ts"
import { placesInWords, statusInWords } from "./summary.ts"
import { withKind, type Track } from "./track.ts"

/** How a deployment stands: whether it is what is live in its environment, and what it brought. Null for what is none. */
export async function deploymentStatus(
  db: Db,
  tenant: string,
  entity: string,
  asOf: AsOf,
): Promise<Status | null> {
  const states = await statesOfDeployment(db, tenant, entity, asOf)
  const latest = states.at(-1)
  if (latest === undefined) return null
  const asked = { repositories: [], shas: [], deployments: [entity] }
  const tracks = (await wholeTracks(db, tenant, asked, asOf)).map(withKind)
  const live: LiveIn[] = []
  const pending: PendingIn[] = []
  for (const track of tracks) {
    const found = liveAs(track, entity)
    if (found === null) pending.push(pendingIn(track, reasonOf(track, entity, states)))
    else live.push(found)
  }
  if (tracks.length === 0) {
    pending.push(pendingIn(latest, statusInWords(latest.status)))
  }
  const { pullRequests: changes, isTruncated } = await pullRequestsBrought(db, tenant, entity, tracks, asOf)
  const brought = { keys: new Set([entity]), changes, shippedBy: new Set<string>() }
  const { title, pullRequests } = await standingOf(db, tenant, entity, brought, asOf)
  const isChanged = live.length > 0 && !["success", "rolled_back"].includes(latest.status)
  const word = isChanged ? `success, then ${inWords(latest.status)}` : inWords(latest.status)
  const summary = [word, ...placesInWords(live, pending)].join(", ")
  return {
    entity,
    title,
    state: latest.status,
    live,
    pending,
    pullRequests,
    ...(isTruncated ? { truncated: true } : {}),
    summary,
  }
}

/** The deployment where it is what is there, since the first of its unbroken run. */
function liveAs({ states, kind }: Track, entity: string): LiveIn | null {
  const there = whatIsThere(states)
  const isLive = (at: number): boolean =>
    states[at]?.status !== "inactive" && states[there[at]?.by ?? -1]?.deployment === entity
  let from = states.length
  while (from > 0 && isLive(from - 1)) from--
  const [first, own] = [states[from], states[there[from]?.by ?? -1]]
  return first === undefined || own === undefined ? null : liveIn({ ...own, at: first.at }, kind)
}

function reasonOf({ states }: Track, entity: string, own: readonly DeploymentState[]): string {
  const there = whatIsThere(states).map(({ by }) => states[by]?.deployment)
  const left = there.lastIndexOf(entity) + 1
  const next = states[left]
  if (left > 0 && next !== undefined && next.deployment !== entity) {
    return `${there[left] ?? next.deployment} took its place at ${shortTime(next.at)}`
  }
  return statusInWords(own.at(-1)?.status ?? "unknown")
}

function inWords(status: string): string {
  return status.replaceAll("_", " ")
}
