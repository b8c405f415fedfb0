import { once } from "node:events"
import { expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"
import {
  asOwner,
  newEvent,
  startChild,
  startProcessor,
  startQueue,
  submit,
  until,
  untilLogged,
} from "./support.ts"

const database = await testDatabase()

async function column(text: string, ids: readonly string[]): Promise<unknown[]> {
  const { rows } = await database.work.query({ text, values: [ids], rowMode: "array" })
  return rows.flat()
}

/** Every event once in every table, positions without a hole, and no job left over. */
async function expectExactlyOnce(ids: readonly string[]): Promise<void> {
  for (const table of [
    "event_log",
    "github_events",
    "event_references",
    "event_correlations",
    "event_performance",
  ]) {
    const counted = await column(
      `select count(*), count(distinct event_id) from ${table} where event_id = any($1::uuid[])`,
      ids,
    )
    expect([table, ...counted]).toEqual([table, ids.length, ids.length])
  }
  const status = "select distinct status from event_processing_status where event_id = any($1::uuid[])"
  expect(await column(status, ids)).toEqual(["processed"])
  const { rows } = await database.work.query(
    `select (select count(*) from event_log) as logged, (select max(position) from event_log) as last,
       (select position from event_log_head) as head, (select sum(processed)::int from event_metrics) as counted`,
  )
  const { logged, last, head, counted } = rows[0]
  expect({ last, head, counted }).toEqual({ last: logged, head: logged, counted: logged })
}

test(
  "every event is processed exactly once, though its worker is killed again and again",
  { timeout: 60_000 },
  async () => {
    const queue = await startQueue(database)
    const ids: string[] = []
    for (let round = 0; round < 10; round++) {
      const events = Array.from({ length: 300 }, (_, index) =>
        newEvent({ title: `${round}-${index}`, number: index, mentions: ["test:thing:x"] }),
      )
      for (let from = 0; from < 300; from += 30) {
        ids.push(...(await submit(database, queue, events.slice(from, from + 30))))
      }
      const before = await loggedCount()
      const child = await startChild(database)
      // Five deaths in a row make a dead letter of whatever a worker takes up first. Few may therefore come so
      // early that even the first event is cut off; the others wait until the worker has got somewhere, and past
      // whatever has seen some deaths already.
      if (round >= 3) await until(async () => (await loggedCount()) > before && !(await anyNearItsEnd()))
      await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 150))
      child.kill("SIGKILL")
      await once(child, "exit")
    }
    await startProcessor(database)
    await untilLogged(database, ids)
    await expectExactlyOnce(ids)
    const letters = await database.work.query("select from dead_letters")
    expect(letters.rows).toEqual([])
  },
)

test(
  "every event is processed exactly once, though the server ends the workers' sessions",
  { timeout: 60_000 },
  async () => {
    const { queue } = await startProcessor(database)
    await startProcessor(database)
    const owner = asOwner(database)
    const ids: string[] = []
    let ended = 0
    for (let round = 0; ended < 30 || round < 25; round++) {
      const events = Array.from({ length: 60 }, (_, index) =>
        newEvent({ title: `${round}/${index}`, number: index, mentions: ["test:thing:x"] }),
      )
      ids.push(...(await submit(database, queue, events)))
      for (let look = 0; look < 8; look++) {
        const { rowCount } = await owner.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and application_name = 'signalbox processing'
           and (state like 'idle in transaction%' or state = 'active') and random() < 0.3`,
        )
        ended += rowCount ?? 0
      }
    }
    await untilLogged(database, ids)
    await expectExactlyOnce(ids)
  },
)

test("jobs of a process that is gone are given back before the next one starts to work", async () => {
  const queue = await startQueue(database)
  const child = await startChild(database)
  const ids = await submit(
    database,
    queue,
    Array.from({ length: 20 }, () => newEvent({ blockMs: 20 })),
  )
  await until(async () => (await heldJobs()).length > 0)
  child.kill("SIGKILL")
  await once(child, "exit")
  const orphans = await heldJobs()
  expect(orphans).toHaveLength(1)

  await startProcessor(database)
  expect(await heldJobs("and retry_count = 0")).toEqual([])
  await untilLogged(database, ids)
})

test("jobs of a process that lives stay with it when another one starts", async () => {
  const queue = await startQueue(database)
  await startChild(database)
  const ids = await submit(
    database,
    queue,
    Array.from({ length: 50 }, () => newEvent({ blockMs: 20 })),
  )
  await until(async () => (await heldJobs()).length > 0)
  const [job] = await heldJobs()
  await startProcessor(database)
  await untilLogged(database, ids)
  expect(
    await column("select retry_count from pgboss.job where id = any($1::uuid[])", [String(job)]),
  ).toEqual([0])
})

test(
  "an event that kills its worker becomes a dead letter after five deaths, and its batch is saved",
  { timeout: 60_000 },
  async () => {
    const queue = await startQueue(database)
    const killer = newEvent({ kill: true })
    const around = Array.from({ length: 60 }, (_, index) => newEvent({ number: index }))
    const batch = [...around.slice(0, 30), killer, ...around.slice(30)]
    await submit(database, queue, batch)

    let deaths = 0
    for (; deaths < 10; deaths++) {
      const child = await startChild(database)
      const died = once(child, "exit").then(() => true)
      const isOver = until(
        async () =>
          (
            await column(
              "select status from event_processing_status where event_id = any($1::uuid[]) and status = 'dead'",
              [killer.id],
            )
          ).length > 0,
      ).then(() => false)
      if (!(await Promise.race([died, isOver]))) break
    }
    expect(deaths).toBe(5)
    await untilLogged(
      database,
      around.map(({ id }) => id),
    )
    const { rows } = await database.work.query(
      "select event_id, error_code, attempts from dead_letters where event_id = any($1::uuid[])",
      [batch.map(({ id }) => id)],
    )
    expect(rows).toEqual([{ event_id: killer.id, error_code: "worker_died", attempts: 5 }])
  },
)

test("jobs of a process that dies while another one works come back after its heartbeats have stopped", async () => {
  const queue = await startQueue(database)
  const doomed = await startChild(database)
  const ids = await submit(
    database,
    queue,
    Array.from({ length: 20 }, () => newEvent({ blockMs: 100 })),
  )
  await until(async () => (await heldJobs()).length > 0)
  const [job] = await heldJobs()
  await startProcessor(database)
  doomed.kill("SIGKILL")
  await once(doomed, "exit")
  await untilLogged(database, ids)
  const taken = "select retry_count from pgboss.job where id = any($1::uuid[])"
  expect(await column(taken, [String(job)])).toEqual([1])
})

async function loggedCount(): Promise<number> {
  const { rows } = await database.work.query("select count(*)::int as logged from event_log")
  return rows[0].logged
}

async function anyNearItsEnd(): Promise<boolean> {
  const { rowCount } = await database.work.query(
    "select from event_processing_status where status = 'retrying' and attempts >= 3",
  )
  return rowCount !== 0
}

async function heldJobs(more = ""): Promise<unknown[]> {
  const { rows } = await database.work.query(`select id from pgboss.job where state = 'active' ${more}`)
  return rows.map(({ id }) => id)
}
