import type { Db } from "./database.ts"

/** Which releases are meant: those that came to an end in [since, until), in environments of that name or kind. */
export interface DeliveryFilter {
  environment: string
  since: Date
  until: Date
}

/** How delivery went. Spans are in seconds, medians over those that are known; null where there is none. */
export interface DeliveryMetrics {
  /** Releases that came to an end, well or not. */
  releases: number
  /** Of these, those that went live. */
  succeeded: number
  /** Of these, those that failed, were rolled back, reverted or hotfixed. */
  failures: number
  /** Of the failures, those that are over. */
  restored: number
  timeToRestoreSeconds: number | null
  /** Pull requests that first went live there meanwhile. */
  pullRequests: number
  leadTimeSeconds: number | null
  codingSeconds: number | null
  pickupSeconds: number | null
  reviewSeconds: number | null
  deploySeconds: number | null
}

const median = (column: string): string =>
  `extract(epoch from percentile_cont(0.5) within group (order by ${column}))::float8`
const inRange = (column: string): string =>
  `$1 in (environment, environment_kind) and ${column} >= $2 and ${column} < $3`

/**
 * The figures of the tenant whose rows `db` sees; to be called in a transaction, which it gives 30 seconds a
 * statement. Lead times end in production: in another environment no pull request has any.
 */
export async function readDeliveryMetrics(
  db: Db,
  { environment, since, until }: DeliveryFilter,
): Promise<DeliveryMetrics> {
  await db.query("set local statement_timeout = '30s'")
  const { rows } = await db.query<DeliveryMetrics>(
    `select * from (
       select count(*) as releases, count(live_at) as succeeded, count(failure) as failures,
         count(time_to_restore) as restored, ${median("time_to_restore")} as "timeToRestoreSeconds"
       from release_outcomes where ${inRange("finished_at")}
     ) as released, (
       select count(*) as "pullRequests", ${median("lead_time")} as "leadTimeSeconds",
         ${median("coding")} as "codingSeconds", ${median("pickup")} as "pickupSeconds",
         ${median("review")} as "reviewSeconds", ${median("deploy")} as "deploySeconds"
       from pull_request_lead_times where ${inRange("deployed_at")}
     ) as changed`,
    [environment, since, until],
  )
  const [figures] = rows
  if (figures === undefined) throw new Error("an aggregate answered no row")
  return figures
}
