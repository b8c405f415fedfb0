import { randomBytes } from "node:crypto"
import { afterAll, inject } from "vitest"
import { createPool, openDatabase, type Database } from "../../src/store/database.ts"

/** A database of the test file's own, cloned from the migrated template; dropped after the file. */
export async function testDatabase(): Promise<Database> {
  const serverUrl = inject("serverUrl")
  const name = `signalbox_test_${randomBytes(6).toString("hex")}`
  const admin = createPool(serverUrl, { max: 1 })
  await admin.query(`create database ${name} template ${inject("template")}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  const database = openDatabase({ url: url.href })
  afterAll(async () => {
    await database.close()
    await admin.query(`drop database if exists ${name} with (force)`)
    await admin.end()
  })
  return database
}
