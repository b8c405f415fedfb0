import type { Db } from "./database.ts"

/** Which releases are meant: those that came to an end in [since, until), in environments of that name or kind. */
export interface DeliveryFilter {
  environment: string
  /** All services where null. */
  service: string | null
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
/**
 * The figures of the tenant whose rows `db` sees; to be called in a transaction, which it gives 30 seconds a
 * statement. Lead times end in production: in another environment no pull request has any.
 */
export async function readDeliveryMetrics(
  db: Db,
  { environment, service, since, until }: DeliveryFilter,
): Promise<DeliveryMetrics> {
  await db.query("set local statement_timeout = '30s'")
  const { rows } = await db.query<DeliveryMetrics>(
    `with asked as materialized (
       -- a release may be mended for 7 days
       select pull_requests_live_between($2, $3::timestamptz + interval '7 days', array[$1, 'production']) as keys
     )
     select * from (
       select count(*) as releases, count(live_at) as succeeded, count(failure) as failures,
         count(time_to_restore) as restored, ${median("time_to_restore")} as "timeToRestoreSeconds"
       from asked, read_release_outcomes($2, $1, $4, asked.keys) where finished_at < $3
     ) as released, (
       select count(*) as "pullRequests", ${median("lead_time")} as "leadTimeSeconds",
         ${median("coding")} as "codingSeconds", ${median("pickup")} as "pickupSeconds",
         ${median("review")} as "reviewSeconds", ${median("deploy")} as "deploySeconds"
       from asked, read_pull_request_lead_times(asked.keys)
       where $1 in (environment, environment_kind) and deployed_at >= $2 and deployed_at < $3
         and ($4::text is null or service = $4)
     ) as changed`,
    [environment, since, until, service],
  )
  const [figures] = rows
  if (figures === undefined) throw new Error("an aggregate answered no row")
  return figures
}
