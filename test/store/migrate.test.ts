import { execFile } from "node:child_process"
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises"
import { createServer, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, expect, test } from "vitest"
import { createPool } from "../../src/store/database.ts"
import { expectSchema, migrate } from "../../src/store/migrate.ts"
import { emptyDatabase } from "../support/database.ts"
import { describeSchema } from "../support/schema-description.ts"

const run = promisify(execFile)
const schemas = join(import.meta.dirname, "../../schemas")
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "signalbox-schemas-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function query(url: string, sql: string): Promise<unknown[]> {
  const pool = createPool(url, { max: 1 })
  try {
    return (await pool.query(sql)).rows
  } finally {
    await pool.end()
  }
}

async function copyOfSchemas(name: string): Promise<URL> {
  const copy = join(folder, name)
  await cp(schemas, copy, { recursive: true })
  return pathToFileURL(`${copy}/`)
}

test("starters at once on an empty database: one installs the schema, the others find it done", async () => {
  const url = await emptyDatabase()
  const reports = await Promise.all([1, 2, 3, 4, 5].map(() => migrate(url)))
  const files = (await readdir(join(schemas, "migrations"))).toSorted()
  const views = (await readdir(join(schemas, "views"))).toSorted()
  const [first, ...others] = reports.toSorted((a, b) => b.applied.length - a.applied.length)
  expect(first).toEqual({ applied: files, views })
  expect(others).toEqual(others.map(() => ({ applied: [], views: [] })))
})

test("psql installs the same schema, and the hub finds nothing to add to it", async (context) => {
  const psql = await run("psql", ["--version"]).catch(() => undefined)
  if (psql === undefined) context.skip("there is no psql on this machine")
  const [byHub, byPsql] = [await emptyDatabase(), await emptyDatabase()]
  await migrate(byHub)
  await run("psql", ["-1", "-q", "-v", "ON_ERROR_STOP=1", "-f", join(schemas, "install.sql"), byPsql])
  expect(await describeSchema(byPsql)).toEqual(await describeSchema(byHub))
  expect(await migrate(byPsql)).toEqual({ applied: [], views: [] })
})

test("install.sql names every file in its order, and the present views", async () => {
  const url = await emptyDatabase()
  await migrate(url)
  const recorded = await query(url, "select name from schema_migrations where name like 'views@%'")
  const text = await readFile(join(schemas, "install.sql"), "utf8")
  const named = [...text.matchAll(/^\\ir (\S+)$/gm)].map(([, path]) => path)
  const expected = await Promise.all(
    ["migrations", "views"].map(async (kind) =>
      (await readdir(join(schemas, kind))).toSorted().map((name) => `${kind}/${name}`),
    ),
  )
  expect(named).toEqual(expected.flat())
  expect([...text.matchAll(/'(views@\w+)'/g)].map(([, name]) => ({ name }))).toEqual(recorded)
})

test("views are made anew when their text has changed, and only then", async () => {
  const url = await emptyDatabase()
  const changed = await copyOfSchemas("changed")
  await migrate(url, changed)
  const view = new URL("views/recent_events.sql", changed)
  const text = await readFile(view, "utf8")
  await writeFile(view, text.replace("    e.name,\n", "").replace("e.title,", "e.title as heading,"))
  const { applied, views } = await migrate(url, changed)
  expect(applied).toEqual([])
  expect(views).toContain("recent_events.sql")
  expect(await migrate(url, changed)).toEqual({ applied: [], views: [] })
  expect(await query(url, "select heading from recent_events")).toEqual([])
  await migrate(url)
  expect(await query(url, "select title from recent_events")).toEqual([])
})

test("a view of the user's own that hangs on ours stops the change with one line, and stays", async () => {
  const url = await emptyDatabase()
  const changed = await copyOfSchemas("depended-on")
  await migrate(url)
  await query(url, "create view mine as select title from recent_events")
  await writeFile(
    new URL("views/recent_events.sql", changed),
    "create view recent_events as select 1 as one;",
  )
  await expect(migrate(url, changed)).rejects.toMatchObject({
    code: "configuration",
    message: expect.stringMatching(/^the schema cannot be installed: [^\n]*recent_events/),
  })
  expect(await query(url, "select * from mine")).toEqual([])
})

test("a file that fails leaves nothing behind, keeps those before it, and is taken up again", async () => {
  const url = await emptyDatabase()
  const broken = await copyOfSchemas("broken")
  const file = new URL("migrations/9000_broken.sql", broken)
  await writeFile(file, "create table half (id integer); select 1 / 0;")
  await expect(migrate(url, broken)).rejects.toThrow("9000_broken.sql failed: division by zero")
  expect(await query(url, "select to_regclass('half') as half")).toEqual([{ half: null }])
  await writeFile(
    file,
    "create table half (id integer); insert into schema_migrations (name) values ('9000_broken.sql');",
  )
  expect((await migrate(url, broken)).applied).toEqual(["9000_broken.sql"])
})

test("a database that a newer version has changed is left alone, with one line that says so", async () => {
  const url = await emptyDatabase()
  await migrate(url)
  await query(url, "insert into schema_migrations (name) values ('9999_from_the_future.sql')")
  await expect(migrate(url)).rejects.toMatchObject({
    code: "configuration",
    message:
      "a newer signalbox has been at this database (9999_from_the_future.sql is unknown here): install that version or a later one",
  })
})

test("a database in another encoding is refused in one line", async () => {
  const url = new URL(await emptyDatabase())
  const latin = `${url.pathname.slice(1)}_latin`
  await query(
    url.href,
    `create database ${latin} encoding 'LATIN1' locale_provider libc locale 'C' template template0`,
  )
  try {
    const target = new URL(url)
    target.pathname = `/${latin}`
    await expect(migrate(target.href)).rejects.toMatchObject({
      code: "configuration",
      message: expect.stringMatching(/^signalbox needs a database in UTF8, [^\n]*LATIN1$/),
    })
  } finally {
    await query(url.href, `drop database ${latin}`)
  }
})

test("a server that does not answer, or refuses us, is told in one line without the password", async () => {
  await expect(migrate("postgres://someone:secret@127.0.0.1:1/none")).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/^the database at 127\.0\.0\.1:1 does not answer \((?!.*secret)[^\n]*\)$/),
  })
  const url = new URL(await emptyDatabase())
  url.pathname = "/there_is_no_such_database"
  await expect(migrate(url.href)).rejects.toMatchObject({
    code: "configuration",
    message: expect.stringMatching(/^the database refuses DATABASE_URL: [^\n]*there_is_no_such_database/),
  })
})

test("a command on a database without the schema says what makes it", async () => {
  const url = await emptyDatabase()
  await expect(expectSchema(url)).rejects.toMatchObject({
    code: "configuration",
    message: expect.stringMatching(/^the database \S+ has no tables of signalbox: run signalbox migrate/),
  })
  await migrate(url)
  await expectSchema(url)
})

test("a server older than PostgreSQL 15 is refused in one line", async () => {
  // No such server is at hand: this one speaks just enough of the protocol to tell its version.
  const server = createServer((socket) => {
    socket.once("data", () => {
      socket.write(Buffer.concat([message("R", int32(0)), ready]))
      socket.on("data", (data) => {
        if (String.fromCharCode(data[0] ?? 0) === "Q") socket.write(Buffer.concat([versionRow(), ready]))
      })
    })
    socket.on("error", () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  try {
    const { port } = server.address() as AddressInfo
    await expect(migrate(`postgres://someone@127.0.0.1:${port}/some`)).rejects.toMatchObject({
      code: "configuration",
      message: "signalbox needs PostgreSQL 15 or later, and DATABASE_URL leads to 14.9",
    })
  } finally {
    server.close()
  }
})

const ready = message("Z", Buffer.from("I"))

function versionRow(): Buffer {
  const columns = [
    { name: "version", type: 23, value: "140009" },
    { name: "name", type: 25, value: "14.9" },
    { name: "encoding", type: 25, value: "UTF8" },
  ]
  const described = columns.map(({ name, type }) =>
    Buffer.concat([
      Buffer.from(`${name}\0`),
      int32(0),
      int16(0),
      int32(type),
      int16(-1),
      int32(-1),
      int16(0),
    ]),
  )
  const values = columns.map(({ value }) => Buffer.concat([int32(value.length), Buffer.from(value)]))
  return Buffer.concat([
    message("T", Buffer.concat([int16(columns.length), ...described])),
    message("D", Buffer.concat([int16(columns.length), ...values])),
    message("C", Buffer.from("SELECT 1\0")),
  ])
}

function message(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2)
  buffer.writeInt16BE(value)
  return buffer
}
