/**
 * States of a deployment. `rolled_back` says that an earlier version was put back; where the event names a
 * commit that is not the one it took out, it is the one that is live again.
 */
export const statuses = [
  "queued",
  "in_progress",
  "success",
  "failure",
  "canceled",
  "inactive",
  "rolled_back",
] as const
export type DeploymentStatus = (typeof statuses)[number]

/** What deploy tools call the same states. */
const words: Readonly<Record<DeploymentStatus, string>> = {
  queued: "pending waiting requested scheduled created accepted",
  in_progress:
    "inprogress running started building deploying progressing processing releasing initializing preparing uploading terminating",
  success: "succeeded successful ok completed complete finished deployed passed ready live healthy promoted",
  failure: "failed fail error errored crashed timed_out timeout degraded unhealthy broken",
  canceled: "cancelled cancel rejected aborted stopped skipped",
  inactive: "superseded deactivated destroyed removed deleted retired expired",
  rolled_back: "rolledback rollback reverted",
}

const byWord: ReadonlyMap<string, DeploymentStatus> = new Map(
  statuses.flatMap((status) => [status, ...words[status].split(" ")].map((word) => [word, status] as const)),
)

/** The state that a tool's word means (`Succeeded`, `in-progress`, `CANCELLED`); null where none is known. */
export function statusOf(word: string): DeploymentStatus | null {
  return (
    byWord.get(
      word
        .trim()
        .toLowerCase()
        .replace(/[\s-]+/g, "_"),
    ) ?? null
  )
}
