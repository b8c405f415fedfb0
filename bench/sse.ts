import { execFileSync, fork, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { availableParallelism } from "node:os"
import { setTimeout as sleep } from "node:timers/promises"
import { z } from "zod"
import { createPool } from "../src/store/database.ts"
import { migrate } from "../src/store/migrate.ts"
import { logEvents } from "../test/support/events.ts"
import { askChild } from "./support/ask-child.ts"
import { openBenchServer, type BenchServer } from "./support/bench-database.ts"
import { startChild, type ChildServer } from "./support/child-server.ts"
import type { BenchOptions, BenchResult } from "./support/result.ts"
import type { ClientsReport, ClientsRequest } from "./support/sse-clients.ts"
import { median, medianRatio, round } from "./support/statistics.ts"
import { takeTurns } from "./support/take-turns.ts"

const clientCount = 1_000
const eventsPerSecond = 100
const rounds = 3
const measuredEvents = 500
const warmUpEvents = 100
const deadlineMs = 15_000
const memory = z.object({ standing: z.number(), retained: z.number() })
const path = "/api/v1/events/stream?heartbeat=300"

const competitors = {
  ours: new URL("support/sse-server.ts", import.meta.url),
  streamSSE: new URL("support/textbook-sse-server.ts", import.meta.url),
} as const
type Competitor = keyof typeof competitors
const names: readonly Competitor[] = ["ours", "streamSSE"]

interface RoundReport extends ClientsReport {
  /** Resident memory by which the server grew for each client: what it holds on to after a collection. */
  kibPerClient: number
  /** The same with the room that the heap took in a rush and may give back. */
  kibPerClientStanding: number
}

/**
 * Latency from the time an event was due to be logged to its arrival at each of 1,000 clients, 100
 * events a second, open loop; every event is committed to PostgreSQL first. Ours against Hono's
 * `streamSSE` on the same log, in rounds that take turns.
 */
export async function run({ progress }: BenchOptions): Promise<BenchResult> {
  checkOpenFiles()
  const server = await openBenchServer()
  try {
    const reports = await takeTurns(
      names,
      rounds,
      (name) => compete(server, name),
      ({ round: number, name, report: { p50Ms, p95Ms, p99Ms, kibPerClient } }) =>
        progress(
          `round ${number} of ${rounds}: ${name} p50 ${p50Ms} ms, p95 ${p95Ms} ms, p99 ${p99Ms} ms, ${kibPerClient} KiB a client`,
        ),
    )
    return resultOf(reports, server.description)
  } finally {
    await server.stop()
  }
}

/** One round: a fresh database and server, its clients connected, then events on schedule. */
async function compete(server: BenchServer, name: Competitor): Promise<RoundReport> {
  const databaseUrl = await server.createDatabase()
  await migrate(databaseUrl)
  const child = await startChild(
    competitors[name],
    { BENCH_DATABASE_URL: databaseUrl, NODE_ENV: "production" },
    ["--expose-gc"],
  )
  const clients = fork(new URL("support/sse-clients.ts", import.meta.url))
  try {
    // A few clients come and go first: what they leave is the server's own memory, not the clients'.
    await ask(clients, { ask: "connect", port: child.port, path, count: 50 })
    await ask(clients, { ask: "disconnect" })
    const before = await memoryOf(child)
    await ask(clients, { ask: "connect", port: child.port, path, count: clientCount })
    const after = await memoryOf(child)
    const kibPerClient = round((after.retained - before.retained) / clientCount / 1024, 1)
    const kibPerClientStanding = round((after.standing - before.standing) / clientCount / 1024, 1)
    await server.settle()
    await sendEvents(databaseUrl, clients, warmUpEvents)
    const report = await sendEvents(databaseUrl, clients, measuredEvents)
    if (name === "ours" && report.missing > 0) throw new Error(`${report.missing} frames did not come`)
    return { ...report, kibPerClient, kibPerClientStanding }
  } finally {
    clients.disconnect()
    await once(clients, "exit")
    await child.stop()
  }
}

/** Logs events at their due times, whether or not the ones before have come through. */
async function sendEvents(
  databaseUrl: string,
  clients: ChildProcess,
  events: number,
): Promise<ClientsReport> {
  const pool = createPool(databaseUrl, { max: 10 })
  const intervalMs = 1000 / eventsPerSecond
  const startNs = process.hrtime.bigint() + 300_000_000n
  const request = { ask: "measure", startNs: String(startNs), intervalMs, events, deadlineMs } as const
  const exited = once(clients, "exit")
  await ask(clients, request)
  const reported = once(clients, "message")
  const logging: Promise<unknown>[] = []
  for (let n = 0; n < events; n++) {
    const dueMs = Number(startNs - process.hrtime.bigint()) / 1e6 + n * intervalMs
    if (dueMs > 0) await sleep(dueMs)
    logging.push(logEvents(pool, [{ payload: { n, pad: "x".repeat(sizeOf(n)) } }]))
  }
  await Promise.all(logging)
  const [report] = await Promise.race([reported, exited])
  await pool.end()
  if (typeof report !== "object") throw new Error("the client process failed")
  return report
}

/** 1 to 8 KB, all sizes alike, in an order that is no pattern. */
function sizeOf(n: number): number {
  return 500 + ((n * 2_654_435_761) % 7_000)
}

/** The request in its type, and its answer waited for. */
async function ask(clients: ChildProcess, request: ClientsRequest): Promise<void> {
  await askChild(clients, request)
}

async function memoryOf(child: ChildServer): Promise<z.infer<typeof memory>> {
  const response = await fetch(`http://127.0.0.1:${child.port}/memory`)
  return memory.parse(await response.json())
}

/** Server and clients each need a file a client; without them the bench would measure refusals. */
function checkOpenFiles(): void {
  const limit = execFileSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" }).trim()
  const needed = clientCount + 100
  if (limit !== "unlimited" && Number(limit) < needed) {
    throw new Error(
      `bench sse needs ${needed} open files in a process and the limit is ${limit}: ulimit -n ${needed}`,
    )
  }
}

function resultOf(reports: ReadonlyMap<Competitor, RoundReport[]>, database: string): BenchResult {
  const figures = (name: Competitor, figure: keyof RoundReport) =>
    (reports.get(name) ?? []).map((one) => one[figure])
  const middle = (name: Competitor, figure: keyof RoundReport) => round(median(figures(name, figure)))
  return {
    bench: "sse",
    unit: `ms at p95, from the due time to each of ${clientCount} clients`,
    ours: middle("ours", "p95Ms"),
    baselines: { streamSSE: middle("streamSSE", "p95Ms") },
    ratios: { streamSSE: round(medianRatio(figures("ours", "p95Ms"), figures("streamSSE", "p95Ms")), 4) },
    p50Ms: middle("ours", "p50Ms"),
    p95Ms: middle("ours", "p95Ms"),
    p99Ms: middle("ours", "p99Ms"),
    conditions: {
      clients: clientCount,
      eventsPerSecond,
      eventBytes: "1 to 8 KB",
      eventsARound: `${measuredEvents} after ${warmUpEvents} of warm-up, open loop`,
      kibPerClient: { ours: middle("ours", "kibPerClient"), streamSSE: middle("streamSSE", "kibPerClient") },
      kibPerClientStanding: {
        ours: middle("ours", "kibPerClientStanding"),
        streamSSE: middle("streamSSE", "kibPerClientStanding"),
      },
      memory:
        "resident bytes of the server with all clients connected less those before; `standing` without a collection",
      rounds: Object.fromEntries(reports),
      path: "commit in PostgreSQL, NOTIFY, one read, one write a client; both servers read the same log",
      delivered:
        "every frame to every client of ours, in order (checked); a frame that had not come counts as due then",
      deadlineMs,
      database,
      node: process.version,
      cores: availableParallelism(),
      sharedMachine: "server, database, clients and event source share these cores",
    },
  }
}
