import type { MergedPullRequest, Push } from "../core/code-history.ts"
import { entityKey } from "../core/entity-key.ts"
import { environmentName } from "../core/environment-name.ts"
import type { StoredEvent } from "../core/envelope.ts"
import type { DeploymentDetail } from "../core/deployment-detail.ts"
import type { Db } from "./database.ts"
import { jsonRow, jsonRows } from "./json-rows.ts"

const tables = ["pushes", "pushed_commits", "merged_pull_requests", "deployment_states"] as const

/** A row of one of the tables of schemas/migrations/0010_live.sql. */
export interface HistoryRow {
  table: (typeof tables)[number]
  row: string
}

/** What a push did, and where it put each commit. A head that its list leaves out stands at the list's end. */
export function pushRows(event: StoredEvent, push: Push): HistoryRow[] {
  const { repository, ref, before, after, forced, at, commits } = push
  const common = {
    event_id: event.id,
    tenant: event.tenant,
    line: `${repository}@${ref}`,
    at,
    before_sha: before,
    after_sha: after,
    known_from: event.receivedAt,
  }
  const listed = commits.some(({ sha }) => sha === after)
  const all = after === null || listed ? commits : [...commits, { sha: after, likeness: null }]
  return [
    { table: "pushes", row: jsonRow({ ...common, forced, commits: commits.length }) },
    ...(after === null ? [] : all).map(({ sha, likeness }, ordinal): HistoryRow => {
      return { table: "pushed_commits", row: jsonRow({ ...common, sha, ordinal, likeness }) }
    }),
  ]
}

/** As which commit a pull request was merged. */
export function mergeRow(event: StoredEvent, merge: MergedPullRequest): HistoryRow {
  return {
    table: "merged_pull_requests",
    row: jsonRow({
      event_id: event.id,
      tenant: event.tenant,
      pull_request: merge.pullRequest,
      sha: merge.sha,
      merged_at: merge.mergedAt,
      head_sha: merge.head,
      head_line: merge.headLine,
      base_line: merge.baseLine,
      known_from: event.receivedAt,
    }),
  }
}

/** A state of a deployment, in the track that it belongs to. */
export function deploymentRow(event: StoredEvent, deployment: DeploymentDetail): HistoryRow {
  const { project, repository, environment, ref, sha } = deployment
  const kind = deployment.environment_kind ?? "unknown"
  const named = `${deployment.provider}/${deployment.deployment_id}`
  return {
    table: "deployment_states",
    row: jsonRow({
      event_id: event.id,
      tenant: event.tenant,
      deployment: event.entity ?? entityKey.deployment(named),
      service: (project ?? repository ?? "").toLowerCase(),
      environment: environmentName(environment, kind),
      // Previews live side by side, one a branch.
      branch: kind === "preview" ? (ref ?? sha ?? named) : "",
      kind,
      status: deployment.status,
      at: event.occurredAt ?? event.receivedAt,
      sha: sha?.toLowerCase() ?? null,
      repository,
      ref,
      url: deployment.deployment_url,
      known_from: event.receivedAt,
    }),
  }
}

/** Inserts what events tell of the code's history; what is there stays as it is. */
export async function insertHistory(db: Db, rows: readonly HistoryRow[]): Promise<void> {
  const writes = tables.flatMap((table) => {
    const own = rows.flatMap((row) => (row.table === table ? row.row : []))
    if (own.length === 0) return []
    return db.query({
      name: `insert_${table}`,
      text: `insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1::jsonb)
        on conflict do nothing`,
      values: [jsonRows(own)],
    })
  })
  await Promise.all(writes)
}

/** Removes what these events told, to write what they tell now. */
export async function deleteHistory(db: Db, eventIds: readonly string[]): Promise<void> {
  await Promise.all(
    tables.map((table) => db.query(`delete from ${table} where event_id = any($1::uuid[])`, [eventIds])),
  )
}
