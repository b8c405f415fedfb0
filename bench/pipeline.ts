import type { ChildProcess } from "node:child_process"
import { octokitExamples } from "../test/support/octokit-examples.ts"
import { askChild } from "./support/ask-child.ts"
import type { BenchServer } from "./support/bench-database.ts"
import { startChild, type ChildServer } from "./support/child-server.ts"
import { requestMaker, type Request } from "./support/github-requests.ts"
import { latenciesOf, type Latencies } from "./support/latencies.ts"
import { holdContest, playWithClients } from "./support/latency-contest.ts"
import { openLoop } from "./support/open-loop.ts"
import type { PipelineClientsReport, PipelineClientsRequest } from "./support/pipeline-clients.ts"
import type { BenchOptions, BenchResult } from "./support/result.ts"

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

/**
 * Latency of the whole way: from the time a webhook was due to be sent to the arrival of its event at
 * each of 100 SSE clients, 500 events a second, open loop. Ours with every role in one process against
 * the textbook server on the same payloads and the same PostgreSQL, in rounds that take turns.
 */
export function run(options: BenchOptions): Promise<BenchResult> {
  return holdContest(
    {
      bench: "pipeline",
      unit: `ms at p95, from the webhook's due time to each of ${clientCount} SSE clients`,
      baseline: "textbook",
      rounds,
      compete,
      conditions: () => ({
        clients: clientCount,
        eventsPerSecond,
        payloads: `those of @octokit/webhooks-examples up to ${largestBody} bytes, in turn, signed, fresh GUIDs`,
        eventsARound: `${measuredEvents} after ${warmUpEvents} of warm-up, open loop from the due time`,
        ours: "every role in one process: verified, committed, acknowledged, processed, correlated, logged, streamed",
        textbook: "INSERT and boss.send a request, a pg-boss worker woken by NOTIFY, streamSSE",
        delivered: "every event to every client of ours (checked)",
        sharedMachine: "server, database, clients and sender share these cores",
      }),
    },
    options,
  )
}

/** One round: a fresh database and server, its clients connected, then webhooks on schedule. */
async function compete(server: BenchServer, name: Competitor): Promise<Latencies> {
  const databaseUrl = await server.createDatabase()
  const env = { BENCH_DATABASE_URL: databaseUrl, BENCH_KEY: key, NODE_ENV: "production" }
  const child = await startChild(competitors[name], env)
  const play = async (clients: ChildProcess): Promise<Latencies> => {
    await ask(clients, { ask: "connect", port: child.port, path, key, count: clientCount })
    await drive(child, clients, warmUpEvents, 1)
    await server.settle()
    return drive(child, clients, measuredEvents, 1_000_000)
  }
  const clientScript = new URL("support/pipeline-clients.ts", import.meta.url)
  return playWithClients(child, clientScript, play, { serialization: "advanced" })
}

/** Sends `events` webhooks whose delivery GUIDs end in the numbers from `first`, and times their frames. */
async function drive(
  child: ChildServer,
  clients: ChildProcess,
  events: number,
  first: number,
): Promise<Latencies> {
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
  return latenciesOf(latencies, missing)
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
