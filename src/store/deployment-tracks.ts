import type { AsOf } from "./correlations.ts"
import type { Db } from "./database.ts"

/** A state of a deployment, in the track of one environment of one service. */
export interface DeploymentState {
  /** Project, or else repository; empty where neither is told. */
  service: string
  /** In lower case; `production` for `Prod`. */
  environment: string
  /** Of a preview, of which each branch has its own; else empty. */
  branch: string
  /** `production`, `staging`, `preview`, … */
  kind: string
  /** Entity key. */
  deployment: string
  status: string
  at: Date
  sha: string | null
  repository: string | null
  ref: string | null
  url: string | null
}

const columns = `s.service, s.environment, s.branch, s.kind, s.deployment, s.status, s.at, s.sha, s.repository,
  s.ref, s.url`

/** What makes a track one that is asked for. */
export interface TracksAsked {
  /** It deploys one of these; previews apart. */
  repositories: readonly string[]
  /** It deployed one of these commits. */
  shas: readonly string[]
  /** It holds one of these deployments. */
  deployments: readonly string[]
}

/** What came to stand in one environment of one service. */
export interface TrackStates extends Pick<DeploymentState, "service" | "environment" | "branch"> {
  states: DeploymentState[]
}

// States of the same deployment; read_deployment_runs and read_pull_request_deployments have the same.
const siblings = `from deployment_states o where o.tenant = $1 and o.deployment = s.deployment
  and o.service = s.service and o.environment = s.environment and o.branch = s.branch and o.known_from <= $5`

/**
 * What came to stand in every track that is asked for, in the order of the senders' clocks: successes, what was
 * put back, and `inactive` where what was there last was taken down. Failed, cancelled and pending deployments
 * put nothing there, and take nothing away; of a success that names no commit or repository they tell it. What
 * is rolled back names no commit by the one that itself failed with, or has live.
 */
export async function tracksOf(
  db: Db,
  tenant: string,
  { repositories, shas, deployments }: TracksAsked,
  asOf: AsOf,
): Promise<TrackStates[]> {
  // In columns, since reading thousands of rows takes longer than finding them.
  const { rows } = await db.query<TrackColumns>({
    name: "deployment_tracks",
    text: `with track as (
        select service, environment, branch from deployment_states
          where tenant = $1 and repository = any($2::text[]) and branch = ''
        union
        select service, environment, branch from deployment_states d
          where tenant = $1 and repository is null and branch = '' and sha is not null and exists (
            select from pushed_commits c where c.tenant = $1 and c.sha >= d.sha and c.sha < d.sha || 'g' -- abbreviated
              and split_part(c.line, '@', 1) = any($2::text[]))
        union
        select service, environment, branch from deployment_states d
          where tenant = $1 and repository is null and branch = '' and sha is not null and exists (
            select from merged_pull_requests m where m.tenant = $1 and m.sha >= d.sha and m.sha < d.sha || 'g'
              and split_part(m.base_line, '@', 1) = any($2::text[]))
        union
        select service, environment, branch from deployment_states where tenant = $1 and sha = any($3::text[])
        union
        select service, environment, branch from deployment_states where tenant = $1 and deployment = any($4::text[])
      )
      select track.*, array_to_json(array_agg(s.kind)) as kinds, array_to_json(array_agg(s.deployment)) as deployments,
        array_to_json(array_agg(s.status)) as statuses,
        array_to_json(array_agg(case when s.sha is null and s.status = 'success'
          then (select max(o.sha) ${siblings} and o.status <> 'rolled_back')
          when s.status = 'rolled_back' and (select bool_or(o.status = 'failure')
            and bool_or(o.status <> 'rolled_back' and (starts_with(o.sha, s.sha) or starts_with(s.sha, o.sha)))
            ${siblings} and o.at <= s.at having not bool_or(o.status = 'success'))
          then null else s.sha end)) as shas,
        array_to_json(array_agg((extract(epoch from s.at) * 1000)::float8)) as times,
        array_to_json(array_agg(coalesce(s.repository, (select max(o.repository) ${siblings})))) as repositories,
        array_to_json(array_agg(s.ref)) as refs, array_to_json(array_agg(s.url)) as urls,
        array_to_json(array_agg(case when s.status = 'rolled_back' then (select bool_or(o.status = 'failure') ${siblings}
          and o.at <= s.at having not bool_or(o.status = 'success')) end)) as failures
      from track join deployment_states s on s.tenant = $1 and s.service = track.service
        and s.environment = track.environment and s.branch = track.branch
      where s.status in ('success', 'rolled_back', 'inactive') and s.known_from <= $5
      group by 1, 2, 3 order by 1, 2, 3`,
    values: [tenant, repositories, shas, deployments, asOf ?? "infinity"],
  })
  return rows
    .map(({ service, environment, branch, ...told }) => {
      const track = { service, environment, branch }
      const states = told.deployments.map((deployment, index): ToldState => ({
        ...track,
        deployment,
        kind: told.kinds[index] ?? "unknown",
        status: told.statuses[index] ?? "unknown",
        at: new Date(told.times[index] ?? 0),
        sha: told.shas[index] ?? null,
        repository: told.repositories[index] ?? null,
        ref: told.refs[index] ?? null,
        url: told.urls[index] ?? null,
        failedBefore: told.failures[index] ?? null,
      }))
      return { ...track, states: whatStood(states.toSorted(byClock)) }
    })
    .filter(({ states }) => states.length > 0)
}

// Whoever puts something in the place of another tells of both, within so many milliseconds.
const changeover = 30_000

interface ToldState extends DeploymentState {
  /** Of what puts a version back: whether it failed before that, where it never succeeded itself; else null. */
  failedBefore: boolean | null
}

/**
 * Leaves out the `inactive` of what is superseded: it was not there last, or the next is put there in the
 * same moment. Leaves out as well what puts back the version that is there all the time.
 */
function whatStood(states: readonly ToldState[]): DeploymentState[] {
  const stood: DeploymentState[] = []
  for (const [index, { failedBefore, ...told }] of states.entries()) {
    const last = stood.at(-1)
    const state = namesItself(told, stood) ? { ...told, sha: null } : told
    if (state.status === "inactive") {
      if (last === undefined || last.status === "inactive" || last.deployment !== state.deployment) continue
      const next = nextActive(states, index)
      if (next !== undefined && next.at.getTime() - state.at.getTime() <= changeover) continue
    }
    if (failedBefore !== null && isThereStill(state.sha, last, failedBefore)) continue
    stood.push(state)
  }
  return stood
}

/** Whether a deployment that is rolled back names the commit that it has live right now: not what is put back. */
function namesItself(
  { status, deployment, sha }: DeploymentState,
  stood: readonly DeploymentState[],
): boolean {
  if (status !== "rolled_back" || sha === null) return false
  const last = stood.findLast((one) => one.status !== "rolled_back" || one.deployment !== deployment) // be it told again
  if (last?.status !== "success" || last.deployment !== deployment) return false
  return last.sha !== null && isSameCommit(last.sha, sha)
}

function nextActive(states: readonly DeploymentState[], index: number): DeploymentState | undefined {
  let next = index + 1
  while (states[next]?.status === "inactive") next++
  return states[next]
}

/** Whether a deployment that never succeeded puts back what was there last; `last` is that. */
function isThereStill(sha: string | null, last: DeploymentState | undefined, failed: boolean): boolean {
  if (sha === null) return failed
  if (last === undefined || last.status === "inactive") return false
  return last.sha === null ? failed : isSameCommit(last.sha, sha)
}

/** Whether two names are of one commit, as far as they tell: either may be abbreviated. */
export function isSameCommit(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a)
}

/** The states of a track, column by column. */
interface TrackColumns extends Pick<DeploymentState, "service" | "environment" | "branch"> {
  kinds: string[]
  deployments: string[]
  statuses: string[]
  times: number[]
  shas: (string | null)[]
  repositories: (string | null)[]
  refs: (string | null)[]
  urls: (string | null)[]
  failures: (boolean | null)[]
}

/** Every state of a deployment, in the order of the sender's clock. */
export async function statesOfDeployment(
  db: Db,
  tenant: string,
  deployment: string,
  asOf: AsOf,
): Promise<DeploymentState[]> {
  const { rows } = await db.query<DeploymentState>({
    name: "states_of_deployment",
    text: `select distinct ${columns} from deployment_states s
      where s.tenant = $1 and s.deployment = $2 and s.known_from <= $3`,
    values: [tenant, deployment, asOf ?? "infinity"],
  })
  return rows.toSorted(byClock)
}

// Of one moment, the deployment with the greater number is the later one; then whatever tells two apart.
function byClock(a: DeploymentState, b: DeploymentState): number {
  return (
    a.at.getTime() - b.at.getTime() ||
    a.deployment.length - b.deployment.length ||
    compare(a.deployment, b.deployment) ||
    (progress.get(a.status) ?? 1) - (progress.get(b.status) ?? 1) ||
    compare(JSON.stringify(a), JSON.stringify(b))
  )
}

/** Of the states of one deployment at one time, which is the later. */
const progress: ReadonlyMap<string, number> = new Map([
  ["queued", 0],
  ["success", 2],
  ["failure", 2],
  ["canceled", 2],
  ["inactive", 3],
  ["rolled_back", 3],
])

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
