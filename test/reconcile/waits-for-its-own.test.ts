import { expect, onTestFinished, test } from "vitest"
import { silentLog } from "../../src/core/log.ts"
import type { Source } from "../../src/core/source.ts"
import { uuidv7 } from "../../src/core/uuid.ts"
import { createQueue } from "../../src/queue/queue.ts"
import { queueNames } from "../../src/queue/queues.ts"
import { transaction } from "../../src/store/database.ts"
import { jobsOfSource } from "../../src/store/queue-jobs.ts"
import { eventsOf, reconcile, startWorldHub } from "./support/hub-of-world.ts"
import { fill, record } from "./support/things.ts"

const hub = await startWorldHub()
const { database } = hub
const options = { processingMs: 300 }

/** An event that is in, with a job that nobody takes up for an hour. */
async function waitingEvent({ tenant, platform, name }: Source): Promise<void> {
  const queue = createQueue({ url: database.url, log: silentLog })
  onTestFinished(() => queue.stop())
  await queue.start()
  const id = uuidv7()
  await transaction(database.work, async (db) => {
    await db.query(
      `insert into events (id, tenant, platform, source, type, name, delivery_id, priority, received_at,
         correlation_id, headers, content_type, raw)
       values ($1::uuid, $2, $3, $4, 'thing.made', 'thing:made', $1::text, 'low', now(), $1::text, '{}',
         'application/json', '{}')`,
      [id, tenant, platform, name],
    )
    await queue.enqueue(db, [{ priority: "low", eventIds: [uuidv7(), id] }], 3_600_000)
  })
}

test("a job that takes long holds up the reconciliation of its own sources, and of no others", async () => {
  const { world, source, target } = await hub.newWorld()
  const other = await hub.newWorld()
  const elsewhere: Source = { ...source, tenant: "umbrella" }
  fill(world.records, [record("untold")])
  fill(other.world.records, [record("untold")])
  await waitingEvent(other.source)
  await waitingEvent(elsewhere)

  expect(await reconcile(hub, target, { options })).toMatchObject({ status: "complete" })
  expect(Object.keys(await eventsOf(database, source))).toContain("untold")
  const problem = "events that came in still wait to be processed"
  expect(await reconcile(hub, other.target, { options })).toMatchObject({ status: "paused", problem })
  expect(Object.keys(await eventsOf(database, other.source))).not.toContain("untold")

  await database.work.query("delete from pgboss.job where id = any($1::uuid[])", [
    await jobsOfSource(database.work, queueNames, other.source),
  ])
  expect(await reconcile(hub, other.target, { options })).toMatchObject({ status: "complete" })
  expect(Object.keys(await eventsOf(database, other.source))).toContain("untold")
})
