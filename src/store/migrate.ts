import { readFile, readdir } from "node:fs/promises"
import type pg from "pg"
import { createPool } from "./database.ts"

const schemas = new URL("../../schemas/", import.meta.url)

/** What a run of `migrate` did. */
export interface MigrationReport {
  applied: string[]
  views: string[]
}

/**
 * Brings the database to the newest schema: new files of `schemas/migrations` in their order, each in
 * a transaction of its own, then every view of `schemas/views` anew. Safe under concurrent starters:
 * one migrates, the others wait for its advisory lock and find nothing left to do.
 */
export async function migrate(url: string): Promise<MigrationReport> {
  const pool = createPool(url, { max: 1 })
  const client = await pool.connect()
  try {
    await client.query("select pg_advisory_lock(hashtextextended('signalbox.migrate', 0))")
    const applied = await applyMigrations(client)
    const views = await rebuildViews(client)
    return { applied, views }
  } finally {
    client.release(true) // ends the session, and its lock with it
    await pool.end()
  }
}

async function applyMigrations(client: pg.PoolClient): Promise<string[]> {
  const known = await recordedMigrations(client)
  const applied: string[] = []
  for (const name of await sqlFiles("migrations/")) {
    if (known.has(name)) continue
    await inTransaction(client, name, await readFile(new URL(`migrations/${name}`, schemas), "utf8"))
    applied.push(name)
  }
  return applied
}

async function recordedMigrations(client: pg.PoolClient): Promise<Set<string>> {
  const { rows } = await client.query<{ present: boolean }>(
    "select to_regclass('public.schema_migrations') is not null as present",
  )
  if (rows[0]?.present !== true) return new Set()
  const names = await client.query<{ name: string }>("select name from schema_migrations")
  return new Set(names.rows.map((row) => row.name))
}

async function rebuildViews(client: pg.PoolClient): Promise<string[]> {
  const names = await sqlFiles("views/")
  const texts = await Promise.all(names.map((name) => readFile(new URL(`views/${name}`, schemas), "utf8")))
  if (texts.length > 0) await inTransaction(client, "views", texts.join("\n"))
  return names
}

async function inTransaction(client: pg.PoolClient, name: string, sql: string): Promise<void> {
  await client.query("begin")
  try {
    await client.query(sql)
    await client.query("commit")
  } catch (cause) {
    await client.query("rollback")
    throw new Error(`schema file ${name} failed: ${(cause as Error).message}`, { cause })
  }
}

async function sqlFiles(folder: string): Promise<string[]> {
  const names = await readdir(new URL(folder, schemas))
  return names.filter((name) => name.endsWith(".sql")).sort()
}
