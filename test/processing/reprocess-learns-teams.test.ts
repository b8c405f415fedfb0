import { expect, test } from "vitest"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import { platforms } from "../../src/platforms/index.ts"
import { reprocessLog } from "../../src/processing/reprocess-log.ts"
import type { LogSelection } from "../../src/store/log-window.ts"
import { createTaken, linearIssue, pullRequest } from "../correlation/deliveries.ts"
import { testDatabase } from "../support/database.ts"
import { transaction } from "../../src/store/database.ts"
import { insertEvents } from "../../src/store/events.ts"
import { newEvent, startProcessor, submit, untilLogged } from "./support.ts"

const database = await testDatabase()
const taken = createTaken(database)
const correlation = createCorrelation({ platforms })

const mention = pullRequest("opened", 1, { title: "Limits for xyz-12 and QRS-8", body: "Closes QRS-8" })
const plan = linearIssue("create", 2, { identifier: "XYZ-12", team: { id: "t", key: "XYZ" } })
const other = linearIssue("create", 3, { id: "u2", identifier: "OPS-1", team: { id: "u", key: "OPS" } })

const reprocess = (
  selection: Omit<LogSelection, "upTo">,
  rules = correlation.rules().map((rule) => rule.name),
) =>
  reprocessLog({
    databaseUrl: database.url,
    platforms,
    correlate: correlation.correlate,
    rules: new Set(rules),
    selection,
    after: 0,
    signal: new AbortController().signal,
  })

async function issuesNamed(tenant: string): Promise<string[]> {
  const { rows } = await database.work.query<{ entity: string }>(
    `select distinct to_entity as entity from event_correlations
     where tenant = $1 and from_entity like 'github:pull_request:%' and to_entity like 'linear:issue:%'
       and relation <> 'may_name' order by 1`,
    [tenant],
  )
  return rows.map(({ entity }) => entity)
}

async function keysOf(tenant: string) {
  const { rows } = await database.work.query<{ key: string; read: boolean }>(
    "select key, read_to >= known_at as read from linear_team_keys where tenant = $1 order by key",
    [tenant],
  )
  return rows
}

const read = (...keys: string[]) => keys.map((key) => ({ key, read: true }))

/** Makes a key known to a tenant that an event was to read the past by. */
async function orphan(tenant: string, eventId: string): Promise<void> {
  await database.work.query(
    `insert into linear_team_keys (tenant, key, first_event, known_at)
     select $1, 'XYZ', $2, position from event_log_head`,
    [tenant, eventId],
  )
}

test("teams of which the past tells are known at the end, as if they always had been", async () => {
  const tenant = await taken([mention, plan, other]) // by a version that learned no keys
  expect(await issuesNamed(tenant)).toEqual(["linear:issue:QRS-8"])
  const done = await reprocess({ tenant })
  expect(done).toMatchObject({ events: 3, mended: 3, failed: 0, complete: true })
  expect(await issuesNamed(tenant)).toEqual(["linear:issue:XYZ-12"])
  expect(await keysOf(tenant)).toEqual(read("OPS", "XYZ"))
})

test("a team that a selection of events shows is known to all others as well", async () => {
  const tenant = await taken([mention, plan, mention])
  await reprocess({ tenant, platform: "linear" })
  expect(await issuesNamed(tenant)).toEqual(["linear:issue:XYZ-12"])
  expect(await keysOf(tenant)).toEqual(read("XYZ"))
})

test("a key that was never read is read, whatever is selected", async () => {
  const tenant = await taken([mention])
  await orphan(tenant, newEvent({}).id)
  expect(await reprocess({ tenant, platform: "slack" })).toMatchObject({ events: 0, complete: true })
  expect(await issuesNamed(tenant)).toEqual(["linear:issue:XYZ-12"])
  expect(await keysOf(tenant)).toEqual(read("XYZ"))
})

test("links of a rule that was not given are not dropped by reading the past either", async () => {
  const tenant = await taken([mention, plan])
  const rules = correlation.rules().flatMap(({ name }) => (name.startsWith("pull_request") ? [] : [name]))
  await expect(reprocess({ tenant, platform: "linear" }, rules)).rejects.toThrow(
    /links of the rule pull_request/,
  )
  expect(await issuesNamed(tenant)).toEqual(["linear:issue:QRS-8"])
})

const delivered = ({ headers, payload }: typeof plan, tenant: string) =>
  newEvent(payload, {
    tenant,
    platform: "linear",
    type: "linear.issue.create",
    name: "Issue:create",
    headers,
  })

test("a key whose event never comes again is read by the next event of its team", async () => {
  const { queue } = await startProcessor(database, { platforms, correlate: correlation.correlate })
  for (const fate of ["dropped", "logged", "dead"]) {
    const tenant = await taken([mention])
    const first = delivered(plan, tenant)
    await orphan(tenant, first.id)
    if (fate === "logged") {
      await database.work.query(
        `update linear_team_keys set first_event = (select event_id from event_log where tenant = $1)
         where tenant = $1`,
        [tenant],
      )
    }
    if (fate === "dead") {
      await transaction(database.work, (db) => insertEvents(db, [first]))
      await database.work.query(
        `insert into event_processing_status (event_id, tenant, status, attempts, first_attempt_at)
         values ($1, $2, 'dead', 5, now())`,
        [first.id, tenant],
      )
    }
    await untilLogged(database, await submit(database, queue, [delivered(plan, tenant)]))
    expect([fate, await issuesNamed(tenant)]).toEqual([fate, ["linear:issue:XYZ-12"]])
    expect(await keysOf(tenant)).toEqual(read("XYZ"))
  }
})
