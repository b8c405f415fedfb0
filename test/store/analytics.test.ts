import { beforeAll, describe, expect, it } from "vitest"
import { readAs, type Database } from "../../src/store/database.ts"
import { testDatabase } from "../support/database.ts"
import { deployment } from "./analytics-requests.ts"
import { story, tries } from "./analytics-story.ts"
import { readView, type Row } from "./read-view.ts"
import { startTakingIn } from "./take-in.ts"

const database = await testDatabase()
const takeIn = await startTakingIn(database)

/** Each view, and the columns that name a row of it beside the tenant. */
const views = {
  github_pull_requests: ["pull_request"],
  deployment_places: ["service", "environment"],
  deployment_runs: ["deployment", "attempt", "live_number"],
  pull_request_deployments: ["pull_request", "service", "environment"],
  pull_request_lead_times: ["pull_request"],
  release_outcomes: ["deployment", "attempt", "live_number"],
  release_periods: ["service", "environment", "unit", "since"],
  releases_by_day: ["service", "environment", "day"],
  releases_by_week: ["service", "environment", "week"],
  work_item_lead_times: ["issue"],
  pull_requests_by_day: ["repository", "day"],
  events_by_day: ["platform", "day"],
} as const
const ofEventTimes = Object.keys(views).filter((view) => view !== "events_by_day")

const view = (name: string, columns: string, order: string, tenant = "acme"): Promise<Row[]> =>
  readView(database, { view: name, columns, order, tenant })

let repeats: readonly boolean[] = []

beforeAll(async () => {
  repeats = await takeIn("acme", [...story, ...story])
})

it("every delivery of the story came twice", () => {
  expect(repeats).toEqual(repeats.map((_, index) => index >= story.length))
})

describe("a pull request's lead times", () => {
  it("are split at its review, merge and first production deployment, and unknown parts are null", async () => {
    const times = "started_at, opened_at, first_review_at, merged_at, deployed_at, deployment"
    const parts = "coding, pickup, review, deploy, lead_time"
    const rows = await view("pull_request_lead_times", `number, ${times}, ${parts}`, "number")
    expect(rows).toEqual(
      [
        "1 | - | 2024-02-05 09:00 | - | 2024-02-06 09:00 | - | - | - | - | - | - | -",
        "10 | Mon 09:20 | Mon 10:00 | Mon 10:30 | Mon 11:00 | Mon 11:40 | deployment:dpl_2 | 40m | 30m | 30m | 40m | 140m",
        "11 | Mon 11:50 | Mon 12:00 | - | Mon 12:30 | Mon 13:00 | deployment:dpl_3 | 10m | - | - | 30m | 70m",
        "12 | Mon 12:05 | Mon 12:10 | Mon 12:20 | Mon 12:40 | Mon 13:00 | deployment:dpl_3 | 5m | 10m | 20m | 20m | 55m",
        "14 | Mon 13:58 | Mon 14:00 | - | Mon 14:05 | Mon 14:15 | deployment:dpl_4 | 2m | - | - | 10m | 17m",
        "15 | Tue 08:30 | Tue 09:00 | - | Tue 09:30 | Tue 09:40 | deployment:dpl_5 | 30m | - | - | 10m | 70m",
        "16 | Tue 10:10 | Tue 10:20 | - | Tue 10:30 | Tue 10:40 | deployment:dpl_7 | 10m | - | - | 10m | 30m",
        "17 | Tue 11:45 | Tue 11:50 | - | Tue 11:55 | Tue 12:00 | deployment:dpl_9 | 5m | - | - | 5m | 15m",
        "18 | Tue 11:10 | Tue 11:15 | - | Tue 11:30 | Tue 11:40 | deployment:dpl_8 | 5m | - | - | 10m | 30m",
        "19 | Wed 14:00 | Wed 14:10 | Wed 14:40 | Wed 15:00 | - | - | 10m | 30m | 20m | - | -",
        "21 | Wed 15:20 | Wed 15:30 | - | - | - | - | 10m | - | - | - | -",
        "22 | Wed 08:40 | Wed 08:50 | Wed 08:55 | Wed 09:00 | Wed 08:59:30 | deployment:dpl_10 | 10m | 5m | 5m | 0m | 20m",
      ].map((row) => row.split(" | ")),
    )
  })

  it("know each environment apart", async () => {
    const rows = await view("pull_request_deployments", "environment, live_at", "live_at", "acme")
    expect(rows.filter(([environment]) => environment === "staging")).toEqual([["staging", "Mon 11:05"]])
    expect(rows).toHaveLength(10)
  })

  it("are added up over the pull requests of an issue, each once", async () => {
    const counts = "pull_requests, merged, open, deployed"
    const parts = "waiting, coding, pickup, review, deploy, lead_time"
    const rows = await view("work_item_lead_times", `issue, ${counts}, created_at, ${parts}`, "issue")
    expect(rows).toEqual(
      [
        // Two pull requests: begun 09:20, opened 10:00, reviewed 10:30, last merged 12:30, last deployed 13:00
        "linear:issue:ENG-10 | 2 | 2 | 0 | 2 | Mon 09:10 | 10m | 40m | 30m | 120m | 30m | 230m",
        "linear:issue:ENG-20 | 1 | 1 | 0 | 1 | Mon 09:15 | 170m | 5m | 10m | 20m | 20m | 225m",
        "linear:issue:ENG-21 | 1 | 1 | 0 | 1 | - | - | 5m | 10m | 20m | 20m | -",
        "linear:issue:ENG-30 | 1 | 1 | 0 | 0 | Wed 13:00 | 60m | 10m | 30m | 20m | - | -",
        "linear:issue:ENG-31 | 1 | 0 | 1 | 0 | - | - | 10m | - | - | - | -",
      ].map((row) => row.split(" | ")),
    )
  })
})

describe("releases", () => {
  it("fail by their own failure, a rollback, a revert or a hotfix, until production is well again", async () => {
    const rows = await view(
      "release_outcomes",
      "deployment, environment, finished_at, live_at, failure, restored_at, time_to_restore",
      "finished_at",
    )
    expect(rows).toEqual(
      [
        "deployment:dpl_0 | production | Mon 09:05 | Mon 09:05 | - | - | -",
        "deployment:dpl_s1 | staging | Mon 11:05 | Mon 11:05 | - | - | -",
        "deployment:dpl_1 | production | Mon 11:20 | - | failed | Mon 11:40 | 20m",
        "deployment:dpl_2 | production | Mon 11:40 | Mon 11:40 | - | - | -",
        "deployment:dpl_3 | production | Mon 13:00 | Mon 13:00 | reverted | Mon 14:15 | 75m",
        "deployment:dpl_4 | production | Mon 14:15 | Mon 14:15 | - | - | -",
        "deployment:dpl_5 | production | Tue 09:40 | Tue 09:40 | rolled_back | Tue 09:50 | 10m",
        "deployment:dpl_7 | production | Tue 10:40 | Tue 10:40 | rolled_back | Tue 11:00 | 20m",
        "deployment:dpl_8 | production | Tue 11:40 | Tue 11:40 | hotfixed | Tue 12:00 | 20m",
        "deployment:dpl_9 | production | Tue 12:00 | Tue 12:00 | - | - | -",
        "deployment:dpl_10 | production | Wed 08:59:30 | Wed 08:59:30 | - | - | -",
      ].map((row) => row.split(" | ")),
    )
  })

  it("are counted by day and by week, and a rollback or a cancelled deployment is none", async () => {
    const columns =
      "environment, releases, succeeded, failures, change_failure_rate, restored, time_to_restore"
    expect(await view("releases_by_day", `day::text, ${columns}`, "environment, day")).toEqual(
      [
        "2026-11-16 | production | 5 | 4 | 2 | 0.4 | 2 | 47.5m",
        "2026-11-17 | production | 4 | 4 | 3 | 0.75 | 3 | 20m",
        "2026-11-18 | production | 1 | 1 | 0 | 0 | 0 | -",
        "2026-11-16 | staging | 1 | 1 | 0 | 0 | 0 | -",
      ].map((row) => row.split(" | ")),
    )
    expect(await view("releases_by_week", `week::text, ${columns}`, "environment, week")).toEqual(
      [
        "2026-11-16 | production | 10 | 9 | 5 | 0.5 | 5 | 20m",
        "2026-11-16 | staging | 1 | 1 | 0 | 0 | 0 | -",
      ].map((row) => row.split(" | ")),
    )
  })
})

it("pull requests are counted on the day they are opened, merged or closed", async () => {
  expect(await view("pull_requests_by_day", "day::text, opened, merged, closed", "day")).toEqual(
    [
      "2024-02-05 | 1 | 0 | 0",
      "2024-02-06 | 0 | 1 | 0",
      "2026-11-16 | 4 | 4 | 0",
      "2026-11-17 | 4 | 4 | 0",
      "2026-11-18 | 3 | 2 | 0",
    ].map((row) => row.split(" | ")),
  )
})

it("events are counted once a day and platform, repeats left out, and timed", async () => {
  const counted = Map.groupBy(story, ({ platform }) => platform)
  const { rows } = await database.work.query(
    `select platform, sum(processed)::int as processed, sum(failed)::int as failed,
       bool_and(mean_ms >= 0 and max_ms >= mean_ms and p50_ms <= p95_ms and p95_ms <= max_ms) as timed
     from events_by_day where tenant = 'acme' group by 1 order by 1`,
  )
  expect(rows).toEqual(
    ["deployment", "github", "linear"].map((platform) => ({
      platform,
      processed: [...counted].find(([name]) => name === platform)?.[1].length,
      failed: 0,
      timed: true,
    })),
  )
})

it("any order of arrival gives the same rows", async () => {
  const orders = {
    backwards: story.toReversed(),
    // by label: unlike any order of time
    mixed: story.toSorted((a, b) => (a.label < b.label ? -1 : 1)),
  }
  for (const [tenant, requests] of Object.entries(orders)) {
    await takeIn(tenant, requests)
    for (const name of ofEventTimes) {
      expect([tenant, name, await wholeOf(database, name, tenant)]).toEqual([
        tenant,
        name,
        await wholeOf(database, name, "acme"),
      ])
    }
  }
})

it("a tenant sees its own figures alone, and nobody else's change them", async () => {
  const before = await wholeOf(database, "pull_request_lead_times", "acme")
  await takeIn("other", [...tries.requests, deployment("dpl_1", "success", tries.pr.mergeSha, "Mon 12:00")])
  expect(await view("pull_request_lead_times", "number, deploy", "number", "other")).toEqual([["10", "60m"]])
  expect(await view("releases_by_day", "releases, failures", "day", "other")).toEqual([["1", "0"]])
  expect(await wholeOf(database, "pull_request_lead_times", "acme")).toEqual(before)
  for (const name of Object.keys(views)) {
    const tenants = await readAs(database, "other", (db) => db.query(`select distinct tenant from ${name}`))
    expect([name, tenants.rows.length > 0 ? tenants.rows : [{ tenant: "other" }]]).toEqual([
      name,
      [{ tenant: "other" }],
    ])
    const unnamed = await database.read.query(`select from ${name}`)
    expect([name, unnamed.rowCount]).toEqual([name, 0])
  }
})

it("no join multiplies: every row has a key of its own, and the days add up to what they count", async () => {
  for (const [name, key] of Object.entries(views)) {
    const { rows } = await database.work.query<{ rows: number; keys: number }>(
      `select count(*) as rows, count(distinct (tenant, ${key.join(", ")})) as keys from ${name}`,
    )
    expect([name, rows[0]?.rows]).toEqual([name, rows[0]?.keys])
    expect(rows[0]?.rows).toBeGreaterThan(0)
  }
  const { rows } = await database.work.query(
    `select (select sum(releases) from releases_by_day) = (select count(*) from release_outcomes) as by_day,
       (select sum(releases) from releases_by_week) = (select count(*) from release_outcomes) as by_week,
       (select sum(merged) from pull_requests_by_day)
         = (select count(distinct (tenant, repository, number)) from github_events where merged) as merges,
       (select sum(processed) from events_by_day) = (select count(*) from event_log) as events,
       (select count(*) from correlated_events) = (
         select count(*) from (
           select distinct tenant, from_entity, to_entity, relation from event_correlations where known_to = 'infinity'
         ) as edge
         join event_log a on a.tenant = edge.tenant and a.entity = edge.from_entity
         join event_log b on b.tenant = edge.tenant and b.entity = edge.to_entity
       ) as pairs,
       (select count(*) from correlated_events) = (
         select count(distinct (tenant, from_event_id, to_event_id, relation)) from correlated_events
       ) as distinct_pairs`,
  )
  expect(rows).toEqual([
    { by_day: true, by_week: true, merges: true, events: true, pairs: true, distinct_pairs: true },
  ])
})

/** Every row of a view but for the tenant, in one order. */
async function wholeOf(db: Database, name: string, tenant: string): Promise<string[]> {
  const { rows } = await db.work.query<{ row: string }>(
    `select (to_jsonb(v) - 'tenant')::text as row from ${name} v where tenant = $1 order by 1`,
    [tenant],
  )
  expect(rows.length).toBeGreaterThan(0)
  return rows.map(({ row }) => row)
}
