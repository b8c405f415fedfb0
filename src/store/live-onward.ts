import type { AsOf } from "./correlations.ts"
import type { Db } from "./database.ts"
import { until, type LinePush } from "./live-facts.ts"

const maxOnward = 3
const maxHeads = 100
const maxMade = 20
const maxMerges = 200

/**
 * The pull requests by which lines were merged onward after a time, or branches that were made off them
 * within their next 100 pushes, 20 off one commit at most: of each branch that they went to the first
 * three. What was made off a line and merged back to it is left out, unless the line was forced in between:
 * it stands on all that anyway.
 */
export async function mergedOnward(
  db: Db,
  tenant: string,
  since: readonly Pick<LinePush, "line" | "at">[],
  asOf: AsOf,
): Promise<(Pick<LinePush, "line" | "at"> & { pullRequest: string })[]> {
  if (since.length === 0) return []
  const { rows } = await db.query<Pick<LinePush, "line" | "at"> & { pullRequest: string }>({
    name: "merged_onward",
    // Step by step: the planner takes each to find next to nothing, and would begin with all that was merged.
    text: `with branch as materialized (
        select since.line, since.ms, since.line as head, null::timestamptz as made_at
        from unnest($2::text[], $3::float8[]) as since (line, ms)
        union
        select since.line, since.ms, made.line, made.at
        from unnest($2::text[], $3::float8[]) as since (line, ms)
        cross join lateral (
          select after_sha, at from pushes where tenant = $1 and line = since.line
            and at >= to_timestamp(since.ms / 1000) and known_from <= $4 order by at, after_sha limit ${maxHeads}
        ) as onto
        cross join lateral (
          select line, at from pushed_commits where tenant = $1 and sha = onto.after_sha and line <> since.line
            and before_sha is null and after_sha = sha and at >= onto.at and known_from <= $4
          order by at, line limit ${maxMade}
        ) as made
      )
      select line, ms as at, pull_request as "pullRequest" from (
        select branch.line, branch.ms, m.pull_request, row_number() over (
          partition by branch.line, branch.ms, m.base_line order by min(m.merged_at), m.pull_request) as place
        from branch
        cross join lateral (
          select pull_request, base_line, merged_at from merged_pull_requests
          where tenant = $1 and head_line = branch.head and merged_at >= to_timestamp(branch.ms / 1000)
            and known_from <= $4 and (branch.made_at is null or base_line is distinct from branch.line
              or exists (select from pushes p where p.tenant = $1 and p.line = branch.line and p.forced
                and p.at >= branch.made_at and p.at <= merged_at and p.known_from <= $4))
          order by merged_at, pull_request limit ${maxMerges}
        ) as m
        group by branch.line, branch.ms, m.base_line, m.pull_request
      ) as onward where place <= ${maxOnward} order by 1, 2, 3`,
    values: [tenant, since.map(({ line }) => line), since.map(({ at }) => at), until(asOf)],
  })
  return rows
}

const maxTakenAlong = 1_000

/**
 * The pull requests that were merged into the branches of these before those were merged, and since the
 * one before them that went the same way; the first 1,000.
 */
export async function mergedInto(
  db: Db,
  tenant: string,
  pullRequests: readonly string[],
  asOf: AsOf,
): Promise<string[]> {
  if (pullRequests.length === 0) return []
  const { rows } = await db.query<{ pullRequest: string }>({
    name: "merged_into",
    text: `select distinct m.pull_request as "pullRequest"
      from merged_pull_requests own
      join merged_pull_requests m on m.tenant = $1 and m.base_line = own.head_line
        and m.merged_at <= own.merged_at and m.known_from <= $3
        and m.merged_at > coalesce((select max(before.merged_at) from merged_pull_requests before
          where before.tenant = $1 and before.head_line = own.head_line and before.base_line = own.base_line
            and before.merged_at < own.merged_at and before.known_from <= $3), '-infinity')
      where own.tenant = $1 and own.pull_request = any($2::text[]) and own.known_from <= $3
      order by 1 limit ${maxTakenAlong}`,
    values: [tenant, pullRequests, until(asOf)],
  })
  return rows.map(({ pullRequest }) => pullRequest)
}
