import { readFile } from "node:fs/promises"
import { expect, it } from "vitest"
import { readAs } from "../../src/store/database.ts"
import { testDatabase } from "../support/database.ts"
import { createRepository, takeIn, testWriter } from "./repository.ts"

const database = await testDatabase()
const writer = testWriter(database)
const page = await readFile(new URL("../../docs/deployments.md", import.meta.url), "utf8")

it("the first query of the page on deployments finds one row a place, whatever that is called", async () => {
  const repository = createRepository()
  repository.deploy(1, repository.grow("main", "Begin for good"), { environment: "Prod" })
  const next = repository.grow("main", "Next")
  repository.deploy(2, next, { environment: "production" })
  repository.deploy(3, next, { environment: "staging" })
  const tenant = await takeIn(writer, repository.deliveries)
  const query = /```sql\n(.*?)```/s.exec(page)?.[1] ?? ""
  const { rows } = await readAs(database, tenant, (db) => db.query<{ sha: string }>(query))
  expect(rows).toMatchObject([{ service: "acme/api", environment: "production", sha: next.sha }])
})
