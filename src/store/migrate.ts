import { createHash } from "node:crypto"
import { readFile, readdir } from "node:fs/promises"
import { DatabaseError, type Pool, type PoolClient } from "pg"
import { SignalboxError } from "../core/errors.ts"
import { createPool } from "./database.ts"
import { failureOf } from "./failure.ts"

const schemas = new URL("../../schemas/", import.meta.url)
const oldestServer = 15

/** What a run of `migrate` did. */
export interface MigrationReport {
  /** Files of `schemas/migrations` that were new to the database, in their order. */
  applied: string[]
  /** Files of `schemas/views`, if any of them had changed. */
  views: string[]
}

/**
 * Brings the database to the newest schema: new files of `schemas/migrations` in their order, each in
 * a transaction of its own, then every view of `schemas/views` if one has changed. Safe under
 * concurrent starters: one migrates, the others wait for its advisory lock and find nothing left to
 * do. Fails with a `configuration` error where the server, the user or the database does not fit.
 * `folder` holds `migrations/` and `views/`.
 */
export async function migrate(url: string, folder: URL = schemas): Promise<MigrationReport> {
  const pool = createPool(url, { max: 1 })
  try {
    const client = await connect(pool, url)
    try {
      await checkServer(client)
      await client.query("select pg_advisory_lock(hashtextextended('signalbox.migrate', 0))")
      const recorded = await recordedNames(client)
      const applied = await applyMigrations(client, recorded, new URL("migrations/", folder))
      const views = await applyViews(client, recorded, new URL("views/", folder))
      return { applied, views }
    } finally {
      client.release(true) // ends the session, and its lock with it
    }
  } finally {
    await pool.end()
  }
}

/**
 * Fails in one line that names the mend where the server is away, refuses the user or the database, or
 * has no schema of ours.
 */
export async function expectSchema(url: string): Promise<void> {
  const pool = createPool(url, { max: 1 })
  try {
    const client = await connect(pool, url)
    try {
      if (await hasSchema(client)) return
    } finally {
      client.release()
    }
  } finally {
    await pool.end()
  }
  throw new SignalboxError(
    "configuration",
    `the database ${new URL(url).pathname.slice(1)} has no tables of signalbox: run signalbox migrate, or start the hub on it once`,
  )
}

async function connect(pool: Pool, url: string): Promise<PoolClient> {
  try {
    return await pool.connect()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const { hostname, port } = new URL(url)
    if (failureOf(cause) === "away") {
      throw new SignalboxError(
        "unavailable",
        `the database at ${hostname}:${port} does not answer (${reason})`,
        {
          cause,
        },
      )
    }
    throw new SignalboxError("configuration", `the database refuses DATABASE_URL: ${reason}`, { cause })
  }
}

async function checkServer(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ version: number; name: string; encoding: string }>(
    `select current_setting('server_version_num')::int as version, current_setting('server_version') as name,
       current_setting('server_encoding') as encoding`,
  )
  const server = rows[0]
  if (server === undefined || server.version < oldestServer * 10_000) {
    throw new SignalboxError(
      "configuration",
      `signalbox needs PostgreSQL ${oldestServer} or later, and DATABASE_URL leads to ${server?.name}`,
    )
  }
  if (server.encoding !== "UTF8") {
    throw new SignalboxError(
      "configuration",
      `signalbox needs a database in UTF8, and the one of DATABASE_URL is in ${server.encoding}`,
    )
  }
}

async function recordedNames(client: PoolClient): Promise<Set<string>> {
  if (!(await hasSchema(client))) return new Set()
  const names = await client.query<{ name: string }>("select name from schema_migrations")
  return new Set(names.rows.map((row) => row.name))
}

async function hasSchema(client: PoolClient): Promise<boolean> {
  const { rows } = await client.query<{ present: boolean }>(
    "select to_regclass('public.schema_migrations') is not null as present",
  )
  return rows[0]?.present === true
}

async function applyMigrations(client: PoolClient, recorded: Set<string>, folder: URL): Promise<string[]> {
  const files = await sqlFiles(folder)
  const known = new Set(files.map(({ name }) => name))
  const later = [...recorded].find((name) => name.endsWith(".sql") && !known.has(name))
  if (later !== undefined) {
    throw new SignalboxError(
      "configuration",
      `a newer signalbox has been at this database (${later} is unknown here): install that version or a later one`,
    )
  }
  const fresh = files.filter(({ name }) => !recorded.has(name))
  for (const { name, sql } of fresh) await inTransaction(client, name, sql)
  return fresh.map(({ name }) => name)
}

async function applyViews(client: PoolClient, recorded: Set<string>, folder: URL): Promise<string[]> {
  const files = await sqlFiles(folder)
  const record = viewsRecord(files)
  if (recorded.has(record)) return []
  // A view that loses or renames a column cannot be replaced, so they are all made anew: each after
  // those it reads, and gone before them.
  const drops = files.toReversed().map(({ name }) => `drop view if exists ${name.replace(/\.sql$/, "")};`)
  const records = `delete from schema_migrations where name like 'views@%';
    insert into schema_migrations (name) values ('${record}');`
  await inTransaction(client, "views", [...drops, ...files.map(({ sql }) => sql), records].join("\n"))
  return files.map(({ name }) => name)
}

// The row of schema_migrations that stands for the present text of all views.
function viewsRecord(files: readonly SqlFile[]): string {
  const hash = createHash("sha256")
  for (const { name, sql } of files) hash.update(`${name}\n${sql}`)
  return `views@${hash.digest("hex").slice(0, 16)}`
}

async function inTransaction(client: PoolClient, name: string, sql: string): Promise<void> {
  await client.query("begin")
  try {
    await client.query(sql)
    await client.query("commit")
  } catch (cause) {
    await client.query("rollback").catch(() => {}) // what broke the connection is told by the cause
    throw schemaError(name, cause)
  }
}

const insufficientPrivilege = "42501"
const dependentObjects = "2BP01"

function schemaError(name: string, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const state = cause instanceof DatabaseError ? cause.code : undefined
  if (state === insufficientPrivilege || state === dependentObjects) {
    const hint = cause instanceof DatabaseError && cause.hint !== undefined ? `; ${cause.hint}` : ""
    return new SignalboxError("configuration", `the schema cannot be installed: ${reason}${hint}`, { cause })
  }
  return new Error(`schema file ${name} failed: ${reason}`, { cause })
}

interface SqlFile {
  name: string
  sql: string
}

async function sqlFiles(folder: URL): Promise<SqlFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).toSorted()
  return Promise.all(
    names.map(async (name) => ({ name, sql: await readFile(new URL(name, folder), "utf8") })),
  )
}
