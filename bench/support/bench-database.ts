import { randomBytes } from "node:crypto"
import { rmSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createPool } from "../../src/store/database.ts"
import { startEmbedded } from "../../src/store/embedded/start-embedded.ts"
import { dropDatabase } from "../../test/support/drop-database.ts"

/** A PostgreSQL server for a bench. */
export interface BenchServer {
  /** What it is, for the conditions. */
  description: string
  /** Makes an empty database and answers its URL. */
  createDatabase(): Promise<string>
  /** Brings the server to rest before a round: everything so far goes to disk now, not in the round. */
  settle(): Promise<void>
  /** Ids of the processes that serve a database now; of that machine, should the server run elsewhere. */
  backends(databaseUrl: string): Promise<number[]>
  /** Drops what was made so far. */
  dropDatabases(): Promise<void>
  /** Drops what was made and stops what was started. */
  stop(): Promise<void>
}

/** The server that `DATABASE_URL` names, or an embedded one of this bench's own. */
export async function openBenchServer(): Promise<BenchServer> {
  const external = process.env["DATABASE_URL"]
  return external === undefined || external === "" ? embeddedServer() : serverAt(external, "DATABASE_URL")
}

async function embeddedServer(): Promise<BenchServer> {
  const dataDir = await mkdtemp(join(tmpdir(), "signalbox-bench-"))
  // A bench that is interrupted leaves nothing: PostgreSQL ends when its files are gone.
  process.once("exit", () => rmSync(dataDir, { recursive: true, force: true }))
  const embedded = await startEmbedded({ dataDir })
  const server = await serverAt(embedded.url, "embedded")
  return {
    ...server,
    async stop() {
      await server.stop()
      await embedded.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function serverAt(url: string, kind: string): Promise<BenchServer> {
  const admin = createPool(url, { max: 1 })
  const names: string[] = []
  const { rows } = await admin.query<{ server_version: string }>("show server_version")
  async function dropDatabases(): Promise<void> {
    for (const name of names.splice(0)) await dropDatabase(admin, name)
  }
  return {
    description: `PostgreSQL ${rows[0]?.server_version ?? "?"} (${kind})`,
    async createDatabase() {
      const name = `signalbox_bench_${randomBytes(6).toString("hex")}`
      await admin.query(`create database ${name}`)
      names.push(name)
      const target = new URL(url)
      target.pathname = `/${name}`
      return target.href
    },
    async settle() {
      await admin.query("checkpoint")
    },
    async backends(databaseUrl) {
      const name = new URL(databaseUrl).pathname.slice(1)
      const { rows: sessions } = await admin.query<{ pid: number }>(
        "select pid from pg_stat_activity where datname = $1",
        [name],
      )
      return sessions.map(({ pid }) => pid)
    },
    dropDatabases,
    async stop() {
      await dropDatabases()
      await admin.end()
    },
  }
}
