import { afterAll, beforeAll, expect, it } from "vitest"
import { runQuery } from "../../src/store/run-query.ts"
import { testDatabase } from "../support/database.ts"

const database = await testDatabase()
const zone = process.env["TZ"]
beforeAll(() => void (process.env["TZ"] = "Europe/Berlin"))
afterAll(() => {
  if (zone === undefined) delete process.env["TZ"]
  else process.env["TZ"] = zone
})

async function valueOf(expression: string): Promise<unknown> {
  const { rows } = await runQuery(database, "default", `select ${expression} as value`)
  return rows[0]?.["value"]
}

it.each([
  ["date '2026-11-21'", "2026-11-21"],
  ["date 'infinity'", "infinity"],
  ["array[date '2026-11-21', null]", ["2026-11-21", null]],
  ["timestamptz '2026-11-21T10:00:00.123456+02'", "2026-11-21T08:00:00.123456Z"],
  ["array[timestamptz '2026-11-21T10:00:00Z']", ["2026-11-21T10:00:00Z"]],
  ["timestamptz 'infinity'", "infinity"],
  ["timestamptz '0044-03-15 00:00:00Z BC'", "0044-03-15 00:00:00+00 BC"],
  ["timestamp '2026-11-21 10:00'", "2026-11-21T10:00:00"],
  ["time '10:00'", "10:00:00"],
  ["interval '2 days 20 hours'", "2 days 20:00:00"],
  ["array[interval '90 minutes']", ["01:30:00"]],
  ["42", 42],
  ["count(*)", 1],
  ["9007199254740991::int8", 9_007_199_254_740_991],
  ["9007199254740993::int8", "9007199254740993"],
  ["array[1::int8, 9007199254740993]", [1, "9007199254740993"]],
  ["1.10::numeric", "1.10"],
  ["0.5::float8", 0.5],
  ["'NaN'::float8", "NaN"],
  ["true", true],
  ["array[[true, false]]", [[true, false]]],
  ["null::date", null],
  [`'{"a": [1, "2026-11-21"]}'::jsonb`, { a: [1, "2026-11-21"] }],
  ["array['a,b', null, 'c']", ["a,b", null, "c"]],
  ["'\\x00ff'::bytea", "\\x00ff"],
  ["point(1, 2)", "(1,2)"],
  ["row(1, date '2026-11-21')", "(1,2026-11-21)"],
])("%s comes as PostgreSQL has it, whatever the zone of the process", async (expression, value) => {
  expect(await valueOf(expression)).toEqual(value)
})

it("columns of one name are told apart", async () => {
  expect(await runQuery(database, "default", `select 1 as n, 2 as n, 3 as n, 4 as n_2`)).toEqual({
    columns: ["n", "n_3", "n_4", "n_2"],
    rows: [{ n: 1, n_3: 2, n_4: 3, n_2: 4 }],
  })
})

it("takes one statement, and that read-only", async () => {
  for (const text of ["select 1; select 2", "commit; delete from events", "create table t ()"]) {
    await expect(runQuery(database, "default", text)).rejects.toThrow(
      /multiple commands|read-only|permission denied/,
    )
  }
  expect(await runQuery(database, "default", "")).toEqual({ columns: [], rows: [] })
})
