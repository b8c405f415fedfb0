import { beforeAll, expect, it } from "vitest"
import { linksOf } from "../../src/store/correlations.ts"
import { createPool, readAs } from "../../src/store/database.ts"
import { eventsOfThing } from "../../src/store/explain.ts"
import { timeline } from "../../src/store/timeline.ts"
import { testDatabase } from "../support/database.ts"
import { explaining, rowsOf, scansOf, type PlanNode } from "./plans.ts"

const database = await testDatabase()
const stories = 8_000

// Each story: an issue, its pull request told of by five events, two commits, checks, a message, a
// deployment; and one branch that all of them mention weakly. 112,000 edges in all.
beforeAll(async () => {
  const strong: [from: string, to: string, relation: string, times: number][] = [
    ["'github:pull_request:acme/api#' || n", "'linear:issue:ENG-' || n", "implements", 5],
    ["'github:pull_request:acme/api#' || n", "'github:commit:head' || n", "contains", 2],
    ["'github:pull_request:acme/api#' || n", "'github:commit:merge' || n", "contains", 1],
    ["'github:check_run:acme/api/' || n", "'github:commit:head' || n", "checks", 2],
    ["'slack:message:T/C/' || n", "'github:pull_request:acme/api#' || n", "discusses", 1],
    ["'deployment:fly/' || n", "'github:commit:merge' || n", "deploys", 2],
  ]
  for (const [from, to, relation, times] of strong) {
    await database.work.query(
      `insert into event_correlations select 'default', ${from}, ${to}, $1, 'test', gen_random_uuid(), 1, 'strong',
         1, '{}', now(), null, null, null, null, now() from generate_series(1, $2) n, generate_series(1, $3)`,
      [relation, stories, times],
    )
  }
  await database.work.query(
    `insert into event_correlations select 'default', 'github:pull_request:acme/api#' || n,
       'github:branch:acme/api@develop', 'head_branch', 'test', gen_random_uuid(), 1, 'weak', 1, '{}', now(), null, null, null, null,
       now() - n * interval '1 second' from generate_series(1, $1) n`,
    [stories],
  )
  const columns = `position, event_id, tenant, platform, source, type, name, priority, entity, occurred_at,
    correlation_id, appended_at`
  await database.work.query(
    `insert into event_log (${columns}) select row_number() over (), gen_random_uuid(), 'default', 'github', 's',
       't', 'n', 'normal', entity, now(), 'c', now()
     from (select distinct unnest(array[from_entity, to_entity]) as entity from event_correlations
           where strength = 'strong') known`,
  )
  await database.work.query(
    `insert into event_log (${columns}) select 100000 + n, gen_random_uuid(), 'default', 'github', 's', 't', 'n',
       'normal', 'github:repository:acme/api', now() + n * interval '1 second', 'c', now()
     from generate_series(1, 20000) n`,
  )
  // As the owner: what vacuum marks as visible to all is what an index-only scan needs.
  const owner = createPool(database.url, { max: 1 })
  await owner.query("vacuum analyze event_correlations")
  await owner.query("analyze event_log")
  await owner.end()
})

it.each(["force_custom_plan", "force_generic_plan"])(
  "a timeline among 112,000 edges is read from indexes, in step with its own size (%s)",
  async (mode) => {
    const plans = new Map<string, PlanNode[]>()
    const entity = "linear:issue:ENG-4000"
    const found = await readAs(database, "default", async (db) => {
      await db.query(`set local plan_cache_mode = ${mode}`)
      return timeline(explaining(db, plans), "default", entity, { limit: 100 })
    })
    expect(found.truncated).toBe(false)
    expect(new Set(found.links.map(({ relation }) => relation))).toEqual(
      new Set(["implements", "contains", "checks", "discusses", "deploys"]),
    )

    const walk = scansOf(plans.get("strong_edges_now") ?? [], "event_correlations")
    expect(new Set(walk.map((node) => node["Node Type"]))).toEqual(new Set(["Index Only Scan"]))
    expect(new Set(walk.map((node) => node["Index Name"]))).toEqual(
      new Set(["event_correlations_from", "event_correlations_to"]),
    )
    expect(rowsOf(walk)).toBeLessThan(100)

    const log = scansOf(plans.get("timeline_first_now") ?? [], "event_log")
    expect(rowsOf(log)).toBeLessThan(100)
  },
)

it("a page of the links of a branch that thousands mention is read from an index", async () => {
  const plans = new Map<string, PlanNode[]>()
  const branch = "github:branch:acme/api@develop"
  const page = await readAs(database, "default", (db) =>
    linksOf(explaining(db, plans), "default", branch, { limit: 50 }),
  )
  expect(page.links).toHaveLength(50)
  await readAs(database, "default", (db) =>
    linksOf(explaining(db, plans), "default", branch, { limit: 50, cursor: page.nextCursor }),
  )
  for (const name of ["links_in_first_now", "links_in_next_now"]) {
    const scans = scansOf(plans.get(name) ?? [], "event_correlations")
    expect(new Set(scans.map((node) => node["Index Name"]))).toEqual(new Set(["event_correlations_to"]))
    expect(rowsOf(scans)).toBeLessThan(200)
  }
})

it.each(["force_custom_plan", "force_generic_plan"])(
  "a page of the timeline of a thing with 20,000 events reads no more than the page (%s)",
  async (mode) => {
    const plans = new Map<string, PlanNode[]>()
    const repository = "github:repository:acme/api"
    await readAs(database, "default", async (db) => {
      await db.query(`set local plan_cache_mode = ${mode}`)
      const first = await timeline(explaining(db, plans), "default", repository, { limit: 50 })
      await timeline(explaining(db, plans), "default", repository, { limit: 50, cursor: first.nextCursor })
    })
    for (const name of ["timeline_first_now", "timeline_next_now"]) {
      const rows = rowsOf(scansOf(plans.get(name) ?? [], "event_log"))
      expect(rows).toBeGreaterThan(50)
      expect(rows).toBeLessThan(200)
    }
  },
)

it.each(["force_custom_plan", "force_generic_plan"])(
  "the newest events of a thing with thousands of events and links are found without reading them all (%s)",
  async (mode) => {
    const plans = new Map<string, PlanNode[]>()
    const busy = ["github:repository:acme/api", "github:branch:acme/api@develop"]
    await readAs(database, "default", async (db) => {
      await db.query(`set local plan_cache_mode = ${mode}`)
      for (const asOf of [null, new Date()]) {
        await eventsOfThing(explaining(db, plans), "default", busy, { asOf, limit: 25 })
      }
    })
    const now = plans.get("events_of_thing_now") ?? []
    const then = plans.get("events_of_thing_then") ?? []
    expect(rowsOf(scansOf(now, "event_log"))).toBeLessThan(200)
    for (const plan of [now, then]) expect(rowsOf(scansOf(plan, "event_correlations"))).toBeLessThan(1_000)
  },
)
