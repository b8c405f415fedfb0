import { fork, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { availableParallelism } from "node:os"
import { octokitExamples } from "../test/support/octokit-examples.ts"
import { askChild } from "./support/ask-child.ts"
import { openBenchServer, type BenchServer } from "./support/bench-database.ts"
import { startChild, type ChildServer } from "./support/child-server.ts"
import { requestMaker, type Request } from "./support/github-requests.ts"
import { openLoop } from "./support/open-loop.ts"
import type { PipelineClientsReport, PipelineClientsRequest } from "./support/pipeline-clients.ts"
import type { BenchOptions, BenchResult } from "./support/result.ts"
import { median, medianRatio, percentile, round } from "./support/statistics.ts"
import { takeTurns } from "./support/take-turns.ts"

const clientCount = 100
const eventsPerSecond = 500
const rounds = 3
const warmUpEvents = 1_500
const measuredEvents = 2_500
const deadlineMs = 30_000
const largestBody = 4_000
const path = "/api/v1/events/stream?heartbeat=300"
const key = "a-key-for-the-bench-of-32-characters-or-more"

const competitors = {
  ours: new URL("support/pipeline-server.ts", import.meta.url),
  textbook: new URL("support/textbook-pipeline-server.ts", import.meta.url),
} as const
type Competitor = keyof typeof competitors
const names: readonly Competitor[] = ["ours", "textbook"]

interface RoundReport {
  p50Ms: number
  p95Ms: number
  p99Ms: number
  maxMs: number
  /** Frames that had not come by the deadline; they count as if they had come then. */
  missing: number
}

/**
 * Latency of the whole way: from the time a webhook was due to be sent to the arrival of its event at
 * each of 100 SSE clients, 500 events a second, open loop. Ours with every role in one process against
 * the textbook server on the same payloads and the same PostgreSQL, in rounds that take turns.
 */
export async function run({ progress }: BenchOptions): Promise<BenchResult> {
  const server = await openBenchServer()
  try {
    const reports = await takeTurns(
      names,
      rounds,
      (name) => compete(server, name),
      ({ round: number, name, report: { p50Ms, p95Ms, p99Ms } }) =>
        progress(`round ${number} of ${rounds}: ${name} p50 ${p50Ms} ms, p95 ${p95Ms} ms, p99 ${p99Ms} ms`),
    )
    return resultOf(reports, server.description)
  } finally {
    await server.stop()
  }
}

/** One round: a fresh database and server, its clients connected, then webhooks on schedule. */
async function compete(server: BenchServer, name: Competitor): Promise<RoundReport> {
  const databaseUrl = await server.createDatabase()
  const env = { BENCH_DATABASE_URL: databaseUrl, BENCH_KEY: key, NODE_ENV: "production" }
  const child = await startChild(competitors[name], env)
  const clients = fork(new URL("support/pipeline-clients.ts", import.meta.url), { serialization: "advanced" })
  try {
    await ask(clients, { ask: "connect", port: child.port, path, key, count: clientCount })
    await drive(child, clients, warmUpEvents, 1)
    await server.settle()
    const report = await drive(child, clients, measuredEvents, 1_000_000)
    if (name === "ours" && report.missing > 0) throw new Error(`${report.missing} frames did not come`)
    return report
  } finally {
    clients.disconnect()
    await once(clients, "exit")
    await child.stop()
  }
}

/** Sends `events` webhooks whose delivery GUIDs end in the numbers from `first`, and times their frames. */
async function drive(
  child: ChildServer,
  clients: ChildProcess,
  events: number,
  first: number,
): Promise<RoundReport> {
  const request = requests(first)
  await ask(clients, { ask: "begin", events })
  const intervalMs = 1_000 / eventsPerSecond
  const startMs = await openLoop({ port: child.port, count: events, intervalMs, request })
  const { order, arrivals } = await ask(clients, { ask: "end", deadlineMs })
  const due = order.map((number) => startMs + (number - first) * intervalMs)
  const latencies: number[] = []
  let missing = 0
  for (const times of arrivals) {
    for (let frame = 0; frame < events; frame++) {
      const [at, dueAt] = [times[frame], due[frame]]
      if (at === undefined || dueAt === undefined) missing++
      latencies.push(at === undefined || dueAt === undefined ? deadlineMs : at - dueAt)
    }
  }
  return {
    p50Ms: round(percentile(latencies, 0.5)),
    p95Ms: round(percentile(latencies, 0.95)),
    p99Ms: round(percentile(latencies, 0.99)),
    maxMs: round(percentile(latencies, 1)),
    missing,
  }
}

/** The octokit payloads in turn; the n-th has the number `first + n` in its GUID. */
function requests(first: number): (n: number) => Request {
  const make = requestMaker(
    "/webhooks/github",
    octokitExamples().filter(({ body }) => body.length <= largestBody),
  )
  return (n) => {
    const number = first + n
    return make(number, `00000000-0000-4000-8000-${number.toString(16).padStart(12, "0")}`)
  }
}

function ask(
  clients: ChildProcess,
  request: Extract<PipelineClientsRequest, { ask: "end" }>,
): Promise<PipelineClientsReport>
function ask(clients: ChildProcess, request: PipelineClientsRequest): Promise<unknown>
async function ask(clients: ChildProcess, request: PipelineClientsRequest): Promise<unknown> {
  return askChild(clients, request)
}

function resultOf(reports: ReadonlyMap<Competitor, RoundReport[]>, database: string): BenchResult {
  const figures = (name: Competitor, figure: keyof RoundReport) =>
    (reports.get(name) ?? []).map((one) => one[figure])
  const middle = (name: Competitor, figure: keyof RoundReport) => round(median(figures(name, figure)))
  return {
    bench: "pipeline",
    unit: `ms at p95, from the webhook's due time to each of ${clientCount} SSE clients`,
    ours: middle("ours", "p95Ms"),
    baselines: { textbook: middle("textbook", "p95Ms") },
    ratios: { textbook: round(medianRatio(figures("ours", "p95Ms"), figures("textbook", "p95Ms")), 4) },
    p50Ms: middle("ours", "p50Ms"),
    p95Ms: middle("ours", "p95Ms"),
    p99Ms: middle("ours", "p99Ms"),
    conditions: {
      clients: clientCount,
      eventsPerSecond,
      payloads: `those of @octokit/webhooks-examples up to ${largestBody} bytes, in turn, signed, fresh GUIDs`,
      eventsARound: `${measuredEvents} after ${warmUpEvents} of warm-up, open loop from the due time`,
      ours: "every role in one process: verified, committed, acknowledged, processed, correlated, logged, streamed",
      textbook: "INSERT and boss.send a request, a pg-boss worker woken by NOTIFY, streamSSE",
      rounds: Object.fromEntries(reports),
      delivered: "every event to every client of ours (checked)",
      database,
      node: process.version,
      cores: availableParallelism(),
      sharedMachine: "server, database, clients and sender share these cores",
    },
  }
}
