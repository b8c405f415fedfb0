import {
  escapeLiteral,
  Pool,
  TypeOverrides,
  type PoolClient,
  type QueryConfig,
  type QueryResult,
  type QueryResultRow,
} from "pg"

/** Whatever runs a query: a pool, or a connection inside a transaction. Comes first in every signature. */
export interface Db {
  query<Row extends QueryResultRow = QueryResultRow>(
    query: string | QueryConfig,
    values?: unknown[],
  ): Promise<QueryResult<Row>>
}

/** The pools of one process, each under the role that its work needs and no other. */
export interface Database {
  url: string
  /** As signalbox_worker: ingest, processing, administration. */
  work: Pool
  /** As signalbox_reader: rows of one tenant, through `readAs`. */
  read: Pool
  close(): Promise<void>
}

export interface DatabaseOptions {
  url: string
  /** Connections of the worker pool (10). */
  maxWork?: number
  /** Connections of the reader pool (5). */
  maxRead?: number
}

/** Opens both pools. Connections are made when they are first needed. */
export function openDatabase({ url, maxWork = 10, maxRead = 5 }: DatabaseOptions): Database {
  const work = createPool(url, { role: "signalbox_worker", max: maxWork })
  const read = createPool(url, { role: "signalbox_reader", max: maxRead })
  return {
    url,
    work,
    read,
    close: async () => {
      await Promise.all([work.end(), read.end()])
    },
  }
}

export interface PoolOptions {
  /** Role taken on at connect; without one, the connecting user's own. */
  role?: string
  max?: number
  /** Lets a connection send a query before the previous one is answered. */
  pipeline?: boolean
  /** Milliseconds after which a statement without an answer breaks its connection; none if absent. */
  queryTimeoutMs?: number
  /** What the sessions are called in pg_stat_activity, after `signalbox `; the role's name if absent. */
  name?: string
  /** Settings of the sessions besides those that all have. */
  settings?: Readonly<Record<string, string>>
}

/** A pool whose sessions acknowledge nothing that is not on disk, whatever the server's default. */
export function createPool(
  url: string,
  { role, max = 10, pipeline = false, queryTimeoutMs, name, settings = {} }: PoolOptions = {},
): Pool {
  // Compiling a plan over all partitions takes half a second; every statement here is done in less.
  const all: Record<string, string> = { synchronous_commit: "on", timezone: "UTC", jit: "off", ...settings }
  if (role !== undefined) all["role"] = role
  const called = name ?? role?.replace("signalbox_", "")
  const config = {
    connectionString: url,
    max,
    options: Object.entries(all)
      .map(([setting, value]) => `-c ${setting}=${value}`)
      .join(" "),
    application_name: called === undefined ? "signalbox" : `signalbox ${called}`,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    types,
    pipeline,
    ...(queryTimeoutMs === undefined ? {} : { query_timeout: queryTimeoutMs }),
  }
  const pool = new Pool(config)
  // An idle connection that breaks (server restart) is replaced at the next checkout; without a
  // listener the pool's error event would end the process.
  pool.on("error", () => {})
  // The same for one that breaks while it is checked out: its query tells whoever holds it.
  pool.on("connect", (client) => client.on("error", () => {}))
  return pool
}

/** Runs `body` in one transaction on a connection of its own; rolls back if it throws. */
export function transaction<T>(pool: Pool, body: (db: PoolClient) => Promise<T>): Promise<T> {
  return transactionFrom("begin", pool, body)
}

async function transactionFrom<T>(
  begin: string,
  pool: Pool,
  body: (db: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query(begin)
    const result = await body(client)
    await client.query("commit")
    return result
  } catch (error) {
    await client.query("rollback").catch((failure: Error) => {
      broken = failure
    })
    throw error
  } finally {
    client.release(broken)
  }
}

/** Runs `body` read-only under the reader role with the rows of `tenant` alone in sight. */
export async function readAs<T>(
  database: Database,
  tenant: string,
  body: (db: Db) => Promise<T>,
): Promise<T> {
  // In one message: a read over HTTP should not wait for three answers before its own.
  const begin = `begin read only; set local signalbox.tenant = ${escapeLiteral(tenant)}`
  return transactionFrom(begin, database.read, body)
}

// Positions and counts are int8, which pg hands out as text; ours stay below 2^53.
const int8 = 20
const types = new TypeOverrides()
types.setTypeParser(int8, Number)
