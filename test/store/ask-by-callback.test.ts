import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import type { Pool } from "pg"
import { expect, onTestFinished, test } from "vitest"
import { createPool } from "../../src/store/database.ts"
import { queryUncopied } from "../../src/store/query-uncopied.ts"
import { testDatabase } from "../support/database.ts"
import { until } from "../support/hub.ts"

const { url } = await testDatabase()

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as (options: { type: "minor" | "major" }) => void

function opened(pool: Pool): Pool {
  onTestFinished(() => pool.end())
  return pool
}

/** Bytes that answers of together 15 MB left behind after what V8 does between two marks of the whole heap. */
async function leftBehind(pool: Pool): Promise<number> {
  const client = await pool.connect()
  try {
    const ask = () => client.query("select 'row ' || n as text, n from generate_series(1, 2000) n")
    for (let n = 0; n < 5; n++) await ask()
    collect({ type: "major" })
    const before = process.memoryUsage().heapUsed
    for (let n = 0; n < 100; n++) {
      await ask()
      if (n % 10 === 9) collect({ type: "minor" })
    }
    collect({ type: "minor" })
    collect({ type: "minor" })
    return process.memoryUsage().heapUsed - before
  } finally {
    client.release()
  }
}

test("an answer is gone once it was read, without a mark of the whole heap", async () => {
  const ours = await leftBehind(opened(createPool(url, { max: 1 })))
  const limited = await leftBehind(opened(createPool(url, { max: 1, queryTimeoutMs: 10_000 })))
  // pg by itself leaves 18 MB
  expect(ours).toBeLessThan(2_000_000)
  expect(limited).toBeLessThan(2_000_000)
})

test("a statement without an answer in time breaks its connection, and the pool goes on", async () => {
  const pool = opened(createPool(url, { max: 1, queryTimeoutMs: 300 }))
  await expect(pool.query("select pg_sleep(0.6)")).rejects.toThrow("no answer within 300 ms")
  const client = await pool.connect()
  const both = [client.query("select pg_sleep(0.6)"), client.query("select 1")]
  const outcomes = await Promise.allSettled(both)
  client.release()
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"])
  const asleep =
    "select 1 from pg_stat_activity where datname = current_database() and query like '%pg_sleep(0.6)'"
  const { rowCount } = await until(
    () => pool.query(asleep),
    (answer) => answer.rowCount === 0,
  )
  expect(rowCount).toBe(0)
})

test("an error says where the query was asked, and leaves the connection usable", async () => {
  const pool = opened(createPool(url, { max: 1 }))
  const client = await pool.connect()
  const failed = await client.query("select nothing").catch((error: unknown) => error)
  expect(failed).toMatchObject({ code: "42703", stack: expect.stringContaining("ask-by-callback.test.ts") })
  await expect(client.query("select $1::int as n", [3])).resolves.toMatchObject({ rows: [{ n: 3 }] })
  client.release()
})

test("a statement that pg refuses to send is told, and the connection goes on", async () => {
  const pool = opened(createPool(url, { max: 1, queryTimeoutMs: 10_000 }))
  const client = await pool.connect()
  const first = await queryUncopied(client, { name: "one", text: "select $1::text as t", values: ["a"] })
  expect(first.rows).toEqual([{ t: "a" }])
  const second = queryUncopied(client, { name: "one", text: "select $1::text as other", values: ["b"] })
  await expect(second).rejects.toThrow(/must be unique/)
  await expect(client.query("select 4 as n")).resolves.toMatchObject({ rows: [{ n: 4 }] })
  client.release()
})
