import { expect, test } from "vitest"
import { createCorrelation } from "../../src/correlation/correlation.ts"
import { platforms } from "../../src/platforms/index.ts"
import { github } from "../../src/platforms/github/index.ts"
import { testDatabase } from "../support/database.ts"
import { octokitExamples } from "../support/octokit-examples.ts"
import { newEvent, startProcessor, submit, untilLogged } from "./support.ts"

const database = await testDatabase()

test("every GitHub payload of octokit's examples is processed, with its detail row", async () => {
  const { correlate } = createCorrelation({ platforms })
  const { queue } = await startProcessor(database, { platforms, correlate })
  const events = octokitExamples().map(({ event, payload, body }) => {
    const headers = { "x-github-event": event, "x-github-delivery": crypto.randomUUID() }
    const message = { headers, contentType: "application/json", payload, receivedAt: new Date() }
    const { type, name, priority } = github.identify(message, body)
    return newEvent(null, { platform: "github", raw: body, headers, type, name, priority })
  })
  expect(events.length).toBeGreaterThanOrEqual(329)
  for (let from = 0; from < events.length; from += 50) {
    await submit(database, queue, events.slice(from, from + 50))
  }
  await untilLogged(
    database,
    events.map(({ id }) => id),
  )
  const { rows } = await database.work.query(
    `select (select count(*) from github_events) as details,
       (select count(*) from events where type like 'github.%.%' and occurred_at is not null) as typed,
       (select count(*) from event_processing_status where status = 'processed') as processed,
       (select count(*) from dead_letters) as dead`,
  )
  expect(rows).toEqual([{ details: events.length, typed: events.length, processed: events.length, dead: 0 }])
  const names = await database.work.query(
    "select event_name as name, count(*) from github_events group by 1 order by 1",
  )
  const sent = Map.groupBy(octokitExamples(), ({ event }) => event)
  expect(new Map(names.rows.map(({ name, count }) => [name, count]))).toEqual(
    new Map([...sent].map(([name, examples]) => [name, examples.length])),
  )
})
