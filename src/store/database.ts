import {
  escapeLiteral,
  Pool,
  TypeOverrides,
  types as usualTypes,
  type PoolClient,
  type QueryConfig,
  type QueryResult,
  type QueryResultRow,
} from "pg"
import { SignalboxError } from "../core/errors.ts"
import { askByCallback } from "./ask-by-callback.ts"
import { orUnavailable, unavailable } from "./failure.ts"
import { allowAsUsual, answerMs } from "./statement-time.ts"

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
  /**
   * Milliseconds after which a statement without an answer breaks its connection (60 s), or the server gives one
   * up: the reader pool's after half of them. Infinity where somebody waits who can end it himself.
   */
  longestMs?: number
}

/** Opens both pools. Connections are made when they are first needed. */
export function openDatabase({
  url,
  maxWork = 10,
  maxRead = 5,
  longestMs = 60_000,
}: DatabaseOptions): Database {
  const limits = (statementMs: number): PoolOptions =>
    Number.isFinite(longestMs)
      ? { queryTimeoutMs: longestMs, settings: { statement_timeout: String(Math.ceil(statementMs)) } }
      : {}
  // Two statements of a reader may go out at once: the second one's time begins with the first one's.
  const [workMs, readMs] = [Math.max(longestMs - answerMs, longestMs / 2), longestMs / 2]
  const work = createPool(url, { role: "signalbox_worker", max: maxWork, ...limits(workMs) })
  const read = createPool(url, { role: "signalbox_reader", max: maxRead, pipeline: true, ...limits(readMs) })
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
  /** Milliseconds after which an idle connection is closed (10 s); 0 keeps it. */
  idleTimeoutMs?: number
  /** What the sessions are called in pg_stat_activity, after `signalbox `; the role's name if absent. */
  name?: string
  /** Settings of the sessions besides those that all have. */
  settings?: Readonly<Record<string, string>>
}

/** A pool whose sessions acknowledge nothing that is not on disk, whatever the server's default. */
export function createPool(
  url: string,
  {
    role,
    max = 10,
    pipeline = false,
    queryTimeoutMs,
    idleTimeoutMs = 10_000,
    name,
    settings = {},
  }: PoolOptions = {},
): Pool {
  // Compiling a plan over all partitions takes half a second; every statement here is done in less.
  const all: Record<string, string> = { synchronous_commit: "on", timezone: "UTC", jit: "off", ...settings }
  // To start a worker takes longer than any statement here that is no analysis.
  if (role !== "signalbox_reader") all["max_parallel_workers_per_gather"] ??= "0"
  if (role !== undefined) all["role"] = role
  const called = name ?? role?.replace("signalbox_", "")
  const { connectionString, options } = splitOptions(url)
  const ours = Object.entries(all).map(([setting, value]) => `-c ${setting}=${value}`)
  const config = {
    connectionString,
    max,
    options: [options, ...ours].join(" ").trim(), // of two that set the same, the later one counts
    application_name: called === undefined ? "signalbox" : `signalbox ${called}`,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: idleTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000, // the system's own is two hours
    types,
    pipeline,
  }
  const pool = new Pool(config)
  // An idle connection that breaks (server restart) is replaced at the next checkout; without a
  // listener the pool's error event would end the process.
  pool.on("error", () => {})
  // The same for one that breaks while it is checked out: its query tells whoever holds it.
  pool.on("connect", (client) => client.on("error", () => {}))
  pool.on("connect", (client) => askByCallback(client, queryTimeoutMs))
  return pool
}

/**
 * Takes the `options` out of a URL: pg lets them replace those of the configuration, and with those
 * would go the role, and row-level security with it.
 */
function splitOptions(url: string): { connectionString: string; options: string } {
  const [address = "", query] = url.split("?", 2)
  if (query === undefined) return { connectionString: url, options: "" }
  const parameters = new URLSearchParams(query)
  if (!parameters.has("options")) return { connectionString: url, options: "" }
  const options = parameters.getAll("options").join(" ")
  parameters.delete("options")
  return { connectionString: `${address}?${parameters.toString()}`, options }
}

/**
 * Refuses a way to the server on which sessions are not what they were asked to be: a pooler between
 * may drop what a session begins with, and nothing would keep tenants apart then.
 */
export async function checkSessions({ work, read }: Pick<Database, "work" | "read">): Promise<void> {
  for (const [pool, role] of [
    [work, "signalbox_worker"],
    [read, "signalbox_reader"],
  ] as const) {
    const { rows } = await pool.query<{ fits: boolean }>(
      "select current_user = $1 and current_setting('synchronous_commit') = 'on' as fits",
      [role],
    )
    if (rows[0]?.fits === true) continue
    throw new SignalboxError(
      "configuration",
      `sessions at DATABASE_URL do not begin with the role ${role} and synchronous_commit=on: connect to PostgreSQL directly, or through a pooler that passes startup options on`,
    )
  }
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
  const client = await orUnavailable(pool.connect())
  let broken: Error | undefined
  try {
    const begun = client.query(begin)
    if (!isPipelining(client)) await begun
    begun.catch(() => {}) // told below, after what it spoiled
    let result: T
    try {
      result = await body(client)
    } finally {
      await begun
    }
    await client.query("commit")
    return result
  } catch (error) {
    await client.query("rollback").catch((failure: Error) => {
      broken = failure
    })
    throw broken === undefined ? error : unavailable(error)
  } finally {
    allowAsUsual(client)
    client.release(broken)
  }
}

/** Runs `body` read-only under the reader role with the rows of `tenant` alone in sight. */
export async function readAs<T>(
  database: Database,
  tenant: string,
  body: (db: Db) => Promise<T>,
): Promise<T> {
  // In one message, that goes out together with the first query of the body: a read over HTTP should not wait
  // for three answers before its own. All that the body reads is of one moment.
  const begin = `begin isolation level repeatable read read only; set local signalbox.tenant = ${escapeLiteral(tenant)}`
  return transactionFrom(begin, database.read, body)
}

/** Whether a connection takes a statement before it has answered the one before. */
export function isPipelining(db: object): boolean {
  return "pipeline" in db && db.pipeline === true
}

/** Runs two reads that need nothing of each other, in one flight where the connection lets it. */
export async function readBoth<A, B>(
  db: Db,
  first: () => Promise<A>,
  second: () => Promise<B>,
): Promise<[A, B]> {
  if (isPipelining(db)) return Promise.all([first(), second()])
  return [await first(), await second()]
}

// Positions and counts are int8, which pg hands out as text; ours stay below 2^53.
const int8 = 20
const types = new TypeOverrides()
types.setTypeParser(int8, Number)

// Sessions are in UTC, so a time of our era reads `2026-11-21 10:00:00.123456+00`; Date takes twice as
// long to read that, and long answers have a thousand of them.
const timestamptz = 1184
const usual: (text: string) => unknown = usualTypes.getTypeParser(timestamptz, "text")
types.setTypeParser(timestamptz, (text: string) =>
  text.length >= 22 && text.length <= 29 && text[10] === " " && text[0] !== "0" && text.endsWith("+00")
    ? dateOf(text)
    : usual(text),
)

function dateOf(text: string): Date {
  const digits = (start: number, end: number): number => {
    let value = 0
    for (let at = start; at < end; at++) value = value * 10 + text.charCodeAt(at) - 48
    return value
  }
  // Of the fraction, which ends where it has no more digits but 0, a Date holds three.
  const places = Math.min(Math.max(text.length - 23, 0), 3)
  const ms = digits(20, 20 + places) * 10 ** (3 - places)
  const [year, month, day] = [digits(0, 4), digits(5, 7) - 1, digits(8, 10)]
  return new Date(Date.UTC(year, month, day, digits(11, 13), digits(14, 16), digits(17, 19), ms))
}
