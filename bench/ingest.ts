import { availableParallelism } from "node:os"
import { createPool } from "../src/store/database.ts"
import { openBenchServer, type BenchServer } from "./support/bench-database.ts"
import { startChild, type ChildServer } from "./support/child-server.ts"
import { closedLoop, type LoadReport } from "./support/closed-loop.ts"
import { githubRequests } from "./support/github-requests.ts"
import type { BenchOptions, BenchResult } from "./support/result.ts"
import { median, percentile, round } from "./support/statistics.ts"

const rounds = 7
const connections = 64
/** Before the first round: the compiler, the connections and the plans of each server settle. */
const warmUpMs = 3_000
/** Within a round, not counted. */
const roundLeadMs = 250
/** Short, so that the servers of a round meet the same neighbours on the machine. */
const roundMs = 2_000

/** Competitors of a round, in the order in which the first round runs them. */
const competitors = {
  ours: { script: new URL("support/ingest-server.ts", import.meta.url), job: "one a batch and priority" },
  textbook: { script: new URL("support/textbook-server.ts", import.meta.url), job: "boss.send each" },
  textbookWithoutJob: { script: new URL("support/textbook-server.ts", import.meta.url), job: "none" },
} as const
type Competitor = keyof typeof competitors
const names: readonly Competitor[] = ["ours", "textbook", "textbookWithoutJob"]

interface Contestant {
  name: Competitor
  databaseUrl: string
  child: ChildServer
  reports: LoadReport[]
  /** Everything it acknowledged, the warm-up included. */
  accepted: number
}

/**
 * Acknowledged webhooks a second, durable: the octokit payloads, signed, each under a fresh GUID, in
 * a closed loop. Ours against the textbook server on the same payloads and the same PostgreSQL, each
 * in a process and a database of its own, in rounds that take turns.
 */
export async function run({ progress }: BenchOptions): Promise<BenchResult> {
  const server = await openBenchServer()
  try {
    const contestants: Contestant[] = []
    try {
      for (const name of names) {
        progress(`warming up ${name}`)
        const contestant = await enter(server, name)
        contestants.push(contestant)
        await drive(contestant, 0, warmUpMs)
      }
      for (let index = 0; index < rounds; index++) {
        // Whoever goes first changes, so that no one always runs in another's wake.
        const order = [
          ...contestants.slice(index % names.length),
          ...contestants.slice(0, index % names.length),
        ]
        for (const contestant of order) {
          await server.settle()
          const report = await drive(contestant, roundLeadMs, roundMs)
          contestant.reports.push(report)
          progress(`round ${index + 1} of ${rounds}: ${contestant.name} ${Math.round(report.perSecond)}/s`)
        }
      }
      for (const contestant of contestants) await checkStored(contestant)
    } finally {
      await Promise.all(contestants.map(({ child }) => child.stop()))
    }
    return resultOf(contestants, server.description)
  } finally {
    await server.stop()
  }
}

async function enter(server: BenchServer, name: Competitor): Promise<Contestant> {
  const databaseUrl = await server.createDatabase()
  const { script, job } = competitors[name]
  const child = await startChild(script, {
    BENCH_DATABASE_URL: databaseUrl,
    BENCH_JOB: job,
    NODE_ENV: "production",
  })
  return { name, databaseUrl, child, reports: [], accepted: 0 }
}

async function drive(contestant: Contestant, leadMs: number, durationMs: number): Promise<LoadReport> {
  const { name, child } = contestant
  const next = githubRequests("/webhooks/github")
  const report = await closedLoop({ port: child.port, connections, leadMs, durationMs, next })
  const refusals = JSON.stringify(report.refused)
  if (refusals !== "{}") throw new Error(`${name} refused: ${refusals}`)
  contestant.accepted += report.accepted
  return report
}

/** What was acknowledged must be there, every single one, or the figures mean nothing. */
async function checkStored({ name, databaseUrl, accepted }: Contestant): Promise<void> {
  const pool = createPool(databaseUrl, { max: 1 })
  const { rows } = await pool.query<{ count: number }>("select count(*) from events")
  await pool.end()
  if (rows[0]?.count !== accepted) {
    throw new Error(`${name} acknowledged ${accepted} events and stored ${rows[0]?.count}`)
  }
}

function resultOf(contestants: readonly Contestant[], database: string): BenchResult {
  const rates = new Map(contestants.map(({ name, reports }) => [name, reports.map((one) => one.perSecond)]))
  const ratesOf = (name: Competitor) => rates.get(name) ?? []
  const latencies =
    contestants.find(({ name }) => name === "ours")?.reports.flatMap((one) => one.latenciesMs) ?? []
  const baselines: Record<string, number> = {}
  const ratios: Record<string, number> = {}
  for (const name of names.filter((one) => one !== "ours")) {
    baselines[name] = Math.round(median(ratesOf(name)))
    // Ratio by ratio: both rates of a round had the same neighbours on the machine.
    ratios[name] = round(median(ratesOf(name).map((rate, index) => (ratesOf("ours")[index] ?? 0) / rate)))
  }
  return {
    bench: "ingest",
    unit: "webhooks/s",
    ours: Math.round(median(ratesOf("ours"))),
    baselines,
    ratios,
    p50Ms: round(percentile(latencies, 0.5)),
    p95Ms: round(percentile(latencies, 0.95)),
    p99Ms: round(percentile(latencies, 0.99)),
    conditions: {
      payloads: "@octokit/webhooks-examples, all 329 in turn, signed, fresh delivery GUIDs",
      load: `closed loop, ${connections} keep-alive connections, ${rounds} rounds of ${roundMs} ms after ${warmUpMs} ms of warm-up`,
      rounds: Object.fromEntries([...rates].map(([name, values]) => [name, values.map(Math.round)])),
      durability: "synchronous_commit=on; every acknowledged event was counted in the database afterwards",
      jobs: Object.fromEntries(names.map((name) => [name, competitors[name].job])),
      workers: "none: ingest alone",
      database,
      node: process.version,
      cores: availableParallelism(),
      sharedMachine: "server, database and load generator share these cores",
    },
  }
}
