import { randomBytes } from "node:crypto"
import type pg from "pg"
import { afterAll, inject } from "vitest"
import { createPool, openDatabase, type Database } from "../../src/store/database.ts"
import { withDatabase } from "./server.ts"
import { dropDatabase } from "./drop-database.ts"

/** A database of the test file's own, cloned from the migrated template; dropped after the file. */
export async function testDatabase(): Promise<Database> {
  const database = openDatabase({ url: await createDatabase(inject("template")) })
  afterAll(() => database.close()) // afterAll runs backwards: the pools close before the drop
  return database
}

/** URL of a database with nothing in it; dropped after the test file. */
export function emptyDatabase(): Promise<string> {
  return createDatabase("template1")
}

async function createDatabase(template: string): Promise<string> {
  const serverUrl = inject("serverUrl")
  const name = `signalbox_test_${inject("run")}_${randomBytes(4).toString("hex")}`
  const admin = createPool(serverUrl, { max: 1 })
  await admin.query(`create database ${name} template ${template}`)
  afterAll(async () => {
    const left = await sessionsLeft(admin, name)
    await dropDatabase(admin, name)
    await admin.end()
    if (left.length > 0) throw new Error(`connections left open after the tests: ${left.join(", ")}`)
  })
  return withDatabase(serverUrl, name)
}

// A session ends a moment after its client has closed it.
async function sessionsLeft(admin: pg.Pool, name: string): Promise<string[]> {
  for (let round = 0; ; round++) {
    const { rows } = await admin.query<{ session: string }>(
      `select application_name || ': ' || left(query, 60) as session
       from pg_stat_activity where datname = $1 and backend_type = 'client backend'`,
      [name],
    )
    if (rows.length === 0 || round === 40) return rows.map((row) => row.session)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
