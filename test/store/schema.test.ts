import { expect, test } from "vitest"
import { testDatabase } from "../support/database.ts"

const database = await testDatabase()

test("a reader without a tenant sees nothing, with one only that tenant's rows", async () => {
  await database.work.query(
    "insert into sources (tenant, platform, name) values ('a', 'github', 'one'), ('b', 'github', 'two')",
  )
  const unset = await database.read.query("select * from sources")
  expect(unset.rows).toEqual([])
})
