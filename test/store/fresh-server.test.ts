import { chmod, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, expect, test } from "vitest"
import { createPool, openDatabase } from "../../src/store/database.ts"
import { startEmbedded, type EmbeddedServer } from "../../src/store/embedded/start-embedded.ts"
import { migrate } from "../../src/store/migrate.ts"
import { withDatabase } from "../support/server.ts"

// Roles belong to a server as a whole, so what happens where there are none yet needs one of its own.
let dataDir: string
let server: EmbeddedServer

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "signalbox-roles-"))
  await chmod(dataDir, 0o755)
  server = await startEmbedded({ dataDir, durable: false })
})
afterAll(async () => {
  await server?.stop()
  await rm(dataDir, { recursive: true, force: true })
})

async function asSuperuser(sql: string): Promise<void> {
  const url = new URL(withDatabase(server.url, "postgres"))
  url.username = "postgres"
  const pool = createPool(url.href, { max: 1 })
  try {
    for (const statement of sql.split(";")) await pool.query(statement)
  } finally {
    await pool.end()
  }
}

async function worksIn(url: string): Promise<void> {
  const database = openDatabase({ url, maxWork: 1, maxRead: 1 })
  try {
    const { rows } = await database.work.query("select current_user as worker")
    expect(rows).toEqual([{ worker: "signalbox_worker" }])
    const read = await database.read.query("select current_user as reader")
    expect(read.rows).toEqual([{ reader: "signalbox_reader" }])
  } finally {
    await database.close()
  }
}

test("who may not create roles is told what an administrator must do, and that does it", async () => {
  await asSuperuser("create role limited login password 'limited'; create database limited owner limited")
  const url = new URL(withDatabase(server.url, "limited"))
  url.username = "limited"
  url.password = "limited"
  for (const role of ["signalbox_worker", "signalbox_reader"]) {
    const failure = await migrate(url.href).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: "configuration", message: expect.not.stringContaining("\n") })
    const [hint] = /CREATE ROLE .*; GRANT .* TO limited(?=;)/.exec(String(failure)) ?? []
    expect(hint).toContain(role)
    await asSuperuser(hint ?? "")
  }
  expect((await migrate(url.href)).applied).not.toEqual([])
  await worksIn(url.href)
  await asSuperuser("drop database limited; drop role limited, signalbox_worker, signalbox_reader")
})

test("starters at once in two databases of a server without our roles all succeed", async () => {
  const pool = createPool(server.url, { max: 1 })
  const urls = ["one", "two"].map((name) => withDatabase(server.url, name))
  for (const name of ["one", "two"]) await pool.query(`create database ${name}`)
  await pool.end()
  const reports = await Promise.all([...urls, ...urls, ...urls].map((url) => migrate(url)))
  expect(reports.filter(({ applied }) => applied.length > 0)).toHaveLength(2)
  for (const url of urls) await worksIn(url)
})
