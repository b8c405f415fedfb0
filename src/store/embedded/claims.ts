import { setTimeout as sleep } from "node:timers/promises"
import { Client } from "pg"
import { SignalboxError } from "../../core/errors.ts"

// Session-level advisory locks: they end with the connection, so a killed holder holds nothing.
const lockClass = 0x73676e6c // "sgnl"
const hubKey = 1 // exclusive: the one hub of a data directory
const useKey = 2 // shared by everyone who works on the server

/** A session on the server that shows that we use it. */
export interface Claim {
  client: Client
  /** Whether nobody else uses the server; from then on nobody can begin to. */
  isLast(): Promise<boolean>
  close(): Promise<void>
}

/** Opens a session on the server. Fails with PostgreSQL's own error while it starts or stops. */
export async function connect(url: string): Promise<Client> {
  const client = new Client({
    connectionString: url,
    application_name: `signalbox ${process.pid}`,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  })
  client.on("error", () => {}) // whoever waits for the end of the session hears of it there
  await client.connect()
  return client
}

/** Claims the server for this process: as its only hub, or beside others. */
export async function claim(client: Client, shared: boolean, dataDir: string): Promise<Claim> {
  await client.query("select pg_advisory_lock_shared($1, $2)", [lockClass, useKey])
  if (!shared && !(await lockAsHub(client))) {
    const holder = await holderOf(client, hubKey)
    await client.end()
    throw new SignalboxError(
      "conflict",
      `the data directory ${dataDir} is in use by another signalbox${holder === undefined ? "" : `, process ${holder}`}: stop that one, or set SIGNALBOX_DATA_DIR to another folder`,
    )
  }
  return {
    client,
    isLast: async () => {
      await client.query("select pg_advisory_unlock_shared($1, $2)", [lockClass, useKey])
      return (await tryLock(client, hubKey)) && (await tryLock(client, useKey))
    },
    close: () => client.end(),
  }
}

// A hub killed a moment ago holds its lock until the server has noticed.
async function lockAsHub(client: Client): Promise<boolean> {
  const deadline = Date.now() + 1_000
  while (!(await tryLock(client, hubKey))) {
    if (Date.now() > deadline) return false
    await sleep(50)
  }
  return true
}

async function tryLock(client: Client, key: number): Promise<boolean> {
  const { rows } = await client.query<{ taken: boolean }>("select pg_try_advisory_lock($1, $2) as taken", [
    lockClass,
    key,
  ])
  return rows[0]?.taken === true
}

async function holderOf(client: Client, key: number): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `select a.application_name as name from pg_locks l join pg_stat_activity a using (pid)
     where l.locktype = 'advisory' and l.granted and l.mode = 'ExclusiveLock'
       and l.classid = $1 and l.objid = $2 and l.database = (select oid from pg_database where datname = current_database())`,
    [lockClass, key],
  )
  return rows[0]?.name.replace(/^signalbox /, "")
}
