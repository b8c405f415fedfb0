import {
  shortName,
  shortTime,
  type LiveIn,
  type PendingIn,
  type PullRequestStatus,
  type Status,
} from "./status.ts"

/** `merged, live in production since 2026-11-21T10:00:00Z`: a status in one line. */
export function summaryOf({ state, live, pending, pullRequests }: Omit<Status, "summary">): string {
  const isLive = live.length > 0
  return [...stage(state, pullRequests, isLive), ...placesInWords(live, pending)].join(", ")
}

function stage(state: string | null, pullRequests: readonly PullRequestStatus[], isLive: boolean): string[] {
  const reverted = pullRequests.filter(({ revertedBy }) => revertedBy !== null)
  const standing = pullRequests.filter(
    ({ revertedBy, state: own }) => revertedBy === null && own !== "closed",
  )
  const open = standing.filter(({ merged }) => !merged)
  if (standing.length === 0 && reverted.length > 0) {
    return [`reverted by ${reverted.map(({ revertedBy }) => shortName(revertedBy ?? "")).join(" and ")}`]
  }
  // What came by no pull request, or by a commit beside one that was closed, is told by places alone.
  if (standing.length === 0 && state === null && (isLive || pullRequests.length === 0)) return []
  if (standing.length === 0) return [state ?? "not merged"]
  if (open.length === 0) return ["merged"]
  if (open.length === standing.length)
    return [open.every((one) => one.state === "open") ? "open" : "not merged"]
  return [`merged but for ${open.map(({ entity }) => shortName(entity)).join(" and ")}`]
}

/** `live in production since …, not live in staging`, production first. */
export function placesInWords(live: readonly LiveIn[], pending: readonly PendingIn[]): string[] {
  const environments = new Set(
    [...live, ...pending].toSorted(productionFirst).map(({ environment }) => environment),
  )
  const words = [...environments].flatMap((environment) => {
    const here = live.filter((one) => one.environment === environment)
    const not = pending.filter((one) => one.environment === environment)
    if (here.length === 0) return [`not live in ${environment}`]
    // Of several services it is live as a whole since the last of them.
    const since = new Date(Math.max(...here.map((one) => one.since.getTime())))
    if (not.length === 0) return [`live in ${environment} since ${shortTime(since)}`]
    return [
      `live in ${environment} of ${servicesOf(here, "one service")} since ${shortTime(since)}`,
      `not live in ${environment} of ${servicesOf(not, "another service")}`,
    ]
  })
  return words.length === 0 ? ["not known to be deployed anywhere"] : words
}

function servicesOf(places: readonly { service: string | null }[], nameless: string): string {
  return places.map(({ service }) => service ?? nameless).join(" and ")
}

const happened: Readonly<Record<string, string>> = {
  success: "it succeeded",
  failure: "it failed",
  canceled: "it was canceled",
  rolled_back: "it was rolled back",
}

/** `it failed`, `it is in progress`: the status of a deployment as a reason. */
export function statusInWords(status: string): string {
  return happened[status] ?? `it is ${status.replaceAll("_", " ")}`
}

interface Somewhere {
  environment: string
  kind: string
}

function productionFirst(a: Somewhere, b: Somewhere): number {
  const rank = ({ kind }: Somewhere): number => (kind === "production" ? 0 : 1)
  return rank(a) - rank(b) || (a.environment < b.environment ? -1 : a.environment > b.environment ? 1 : 0)
}
