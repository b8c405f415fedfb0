import { fork, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { availableParallelism, loadavg } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import type { Pool } from "pg"
import { createPool } from "../src/store/database.ts"
import { migrate } from "../src/store/migrate.ts"
import { logEvents } from "../test/support/events.ts"
import { askChild } from "./support/ask-child.ts"
import { openBenchServer, type BenchServer } from "./support/bench-database.ts"
import { startChild, type ChildServer } from "./support/child-server.ts"
import { cpuBetween, cpuTimes } from "./support/cpu-time.ts"
import { fillLog, storeBodies } from "./support/delivery-load.ts"
import { benchGroup, type MembersRequest } from "./support/group-protocol.ts"
import type { Latencies } from "./support/latencies.ts"
import type { BenchOptions, BenchResult } from "./support/result.ts"
import { median, medianRatio, round } from "./support/statistics.ts"
import { takeTurns } from "./support/take-turns.ts"

const members = 8
const partitions = 16
const backlog = 10_000
const rounds = 3
const eventsPerSecond = 50
const measuredEvents = 300
const deadlineMs = 15_000
const key = "bench-key-of-32-characters-or-more-0"
const names = ["ours", "skipLocked"] as const
type Competitor = (typeof names)[number]

interface GroupsRound extends Latencies {
  /** Events of a backlog that were handled, a second; that all are committed in the end is checked. */
  perSecond: number
  /** Processor time for each of these: of the members, of the server between (ours alone), and of PostgreSQL. */
  memberMicros: number
  serverMicros: number
  databaseMicros: number
}

/** One competitor on a database of its own. */
interface Stage {
  pool: Pool
  databaseUrl: string
  consumers: ChildProcess
  hub: ChildServer | undefined
  /** Puts a backlog there, at once. */
  fill(): Promise<void>
  /** Logs an event of 1 to 8 KB. */
  log(payload: object): Promise<unknown>
  /** Whether nothing is left to be committed. */
  isDone(): Promise<boolean>
}

/**
 * Events a second that 8 members in a process of their own handle, and then commit, of a backlog of 8 KiB events, and the
 * latency from the time an event was due to be logged to its handler, open loop. Against workers on a jobs table.
 */
export async function run({ progress }: BenchOptions): Promise<BenchResult> {
  const loadBefore = loadavg()
  const server = await openBenchServer()
  try {
    const reports = await takeTurns(
      names,
      rounds,
      async (name) => compete(server, name),
      ({ round: number, name, report }) => {
        const { perSecond, p50Ms, p95Ms } = report
        progress(
          `round ${number} of ${rounds}: ${name} ${Math.round(perSecond)}/s; p50 ${p50Ms} ms, p95 ${p95Ms} ms`,
        )
      },
    )
    return resultOf(reports, { database: server.description, loadBefore })
  } finally {
    await server.stop()
  }
}

async function compete(server: BenchServer, name: Competitor): Promise<GroupsRound> {
  const databaseUrl = await server.createDatabase()
  await migrate(databaseUrl)
  const pool = createPool(databaseUrl, { max: 10 })
  const stage = await (name === "ours" ? oursOn(databaseUrl, pool) : textbookOn(databaseUrl, pool))
  try {
    await server.settle()
    const throughput = await drain(server, stage)
    const latencies = await measure(stage)
    if (name === "ours" && latencies.missing > 0) throw new Error(`${latencies.missing} events did not come`)
    await ask(stage, { ask: "stop" })
    return { ...throughput, ...latencies }
  } finally {
    if (stage.consumers.connected) {
      stage.consumers.disconnect()
      await once(stage.consumers, "exit")
    }
    await stage.hub?.stop()
    await pool.end()
    await server.dropDatabases()
  }
}

async function oursOn(databaseUrl: string, pool: Pool): Promise<Stage> {
  await storeBodies(pool)
  const env = { BENCH_DATABASE_URL: databaseUrl, BENCH_ADMIN_KEY: key, NODE_ENV: "production" }
  const hub = await startChild(new URL("support/group-server.ts", import.meta.url), env)
  const url = `http://127.0.0.1:${hub.port}`
  const made = await fetch(`${url}/api/v1/consumer-groups`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}` },
    body: JSON.stringify({ name: benchGroup, partitions }),
  })
  if (made.status !== 201) throw new Error(`no group: ${await made.text()}`)
  const consumers = fork(new URL("support/group-members.ts", import.meta.url))
  const stage: Stage = {
    pool,
    databaseUrl,
    consumers,
    hub,
    fill: () => fillLog(pool, backlog, 1),
    log: (payload) => logEvents(pool, [{ payload }]),
    async isDone() {
      const { rows } = await pool.query<{ lag: number }>("select max(lag) as lag from consumer_group_lag")
      return rows[0]?.lag === 0
    },
  }
  await ask(stage, { ask: "start", members, url, key, databaseUrl })
  return stage
}

async function textbookOn(databaseUrl: string, pool: Pool): Promise<Stage> {
  await storeBodies(pool)
  await pool.query(
    "create table jobs (id bigint generated always as identity primary key, body bytea not null)",
  )
  const consumers = fork(new URL("support/textbook-workers.ts", import.meta.url))
  const notify = "select pg_notify('jobs', '')"
  const stage: Stage = {
    pool,
    databaseUrl,
    consumers,
    hub: undefined,
    async fill() {
      await pool.query(
        `insert into jobs (body) select raw from generate_series(1, ${backlog}) i join bench_bodies b
           on b.n = i % (select count(*) from bench_bodies)`,
      )
      await pool.query(notify)
    },
    async log(payload) {
      await pool.query("with job as (insert into jobs (body) values ($1)) select pg_notify('jobs', '')", [
        Buffer.from(JSON.stringify(payload)),
      ])
    },
    async isDone() {
      return (await pool.query("select from jobs limit 1")).rowCount === 0
    },
  }
  await ask(stage, { ask: "start", members, url: "", key: "", databaseUrl })
  return stage
}

/** One backlog that does not count, and one that does: from its commit until all of it is handled. */
async function drain(
  server: BenchServer,
  stage: Stage,
): Promise<Pick<GroupsRound, "perSecond" | "memberMicros" | "serverMicros" | "databaseMicros">> {
  let seconds = 0
  let spent = { memberMicros: 0, serverMicros: 0, databaseMicros: 0 }
  for (let pass = 0; pass < 2; pass++) {
    const pids = await pidsOf(server, stage)
    const counted = ask(stage, { ask: "count", events: backlog })
    await stage.fill()
    const before = pids.map((of) => cpuTimes(of))
    const start = performance.now()
    await counted
    seconds = (performance.now() - start) / 1000
    const [memberMicros = 0, serverMicros = 0, databaseMicros = 0] = pids.map(
      (of, index) => cpuBetween(before[index] ?? new Map(), cpuTimes(of)) / backlog,
    )
    spent = { memberMicros, serverMicros, databaseMicros }
    while (!(await stage.isDone())) await sleep(20) // all of it is committed, too
  }
  return { perSecond: backlog / seconds, ...spent }
}

async function pidsOf(server: BenchServer, { consumers, hub, databaseUrl }: Stage): Promise<number[][]> {
  return [[consumers.pid ?? 0], hub === undefined ? [] : [hub.pid], await server.backends(databaseUrl)]
}

/** Logs events at their due times, whether or not the ones before have been handled. */
async function measure(stage: Stage): Promise<Latencies> {
  const intervalMs = 1000 / eventsPerSecond
  const startNs = process.hrtime.bigint() + 300_000_000n
  const exited = once(stage.consumers, "exit")
  await ask(stage, {
    ask: "measure",
    startNs: String(startNs),
    intervalMs,
    events: measuredEvents,
    deadlineMs,
  })
  const reported = once(stage.consumers, "message")
  const logging: Promise<unknown>[] = []
  for (let n = 0; n < measuredEvents; n++) {
    const dueMs = Number(startNs - process.hrtime.bigint()) / 1e6 + n * intervalMs
    if (dueMs > 0) await sleep(dueMs)
    logging.push(stage.log({ n, pad: "x".repeat(500 + ((n * 2_654_435_761) % 7_000)) }))
  }
  await Promise.all(logging)
  const [report] = await Promise.race([reported, exited])
  if (typeof report !== "object") throw new Error("the process with the members failed")
  return report
}

/** The request in its type, and its answer waited for. */
async function ask({ consumers }: Pick<Stage, "consumers">, request: MembersRequest): Promise<void> {
  await askChild(consumers, request)
}

function resultOf(
  reports: ReadonlyMap<Competitor, GroupsRound[]>,
  conditions: { database: string; loadBefore: number[] },
): BenchResult {
  const figures = (name: Competitor, of: keyof GroupsRound) => (reports.get(name) ?? []).map((one) => one[of])
  const middle = (name: Competitor, of: keyof GroupsRound) => round(median(figures(name, of)), 1)
  const latencyRatio = round(medianRatio(figures("ours", "p95Ms"), figures("skipLocked", "p95Ms")))
  return {
    bench: "groups",
    unit: `events/s of a backlog handled by ${members} members`,
    ours: middle("ours", "perSecond"),
    baselines: { skipLocked: middle("skipLocked", "perSecond") },
    ratios: {
      skipLocked: round(medianRatio(figures("ours", "perSecond"), figures("skipLocked", "perSecond"))),
    },
    p50Ms: middle("ours", "p50Ms"),
    p95Ms: middle("ours", "p95Ms"),
    p99Ms: middle("ours", "p99Ms"),
    conditions: {
      ...conditions,
      backlog: `${backlog} events of 8 KiB, after as many that do not count`,
      latency: `${eventsPerSecond} events/s of 1 to 8 KB, open loop, from the due time to the handler`,
      latencyRatio: { skipLocked: latencyRatio },
      ours: `${partitions} partitions, order kept in each; the client of signalbox/client over HTTP, commits every 50 ms`,
      skipLocked:
        "8 connections to PostgreSQL, 100 jobs a transaction, deleted in it, woken by NOTIFY; no order, and one reader an event",
      middle: Object.fromEntries(
        names.map((name) => [
          name,
          {
            p50Ms: middle(name, "p50Ms"),
            p95Ms: middle(name, "p95Ms"),
            p99Ms: middle(name, "p99Ms"),
            memberMicros: middle(name, "memberMicros"),
            serverMicros: middle(name, "serverMicros"),
            databaseMicros: middle(name, "databaseMicros"),
          },
        ]),
      ),
      rounds: Object.fromEntries(reports),
      node: process.version,
      cores: availableParallelism(),
    },
  }
}
