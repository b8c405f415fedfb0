import { fork, type ChildProcess, type ForkOptions } from "node:child_process"
import { once } from "node:events"
import { availableParallelism } from "node:os"
import { openBenchServer, type BenchServer } from "./bench-database.ts"
import type { ChildServer } from "./child-server.ts"
import type { Latencies } from "./latencies.ts"
import type { BenchOptions, BenchResult } from "./result.ts"
import { median, medianRatio, round } from "./statistics.ts"
import { takeTurns } from "./take-turns.ts"

/** A bench of how soon events come to the clients of streams: ours against a baseline. */
export interface LatencyContest<Baseline extends string, Report extends Latencies> {
  bench: string
  unit: string
  baseline: Baseline
  rounds: number
  /** One round of a competitor, on a database and in processes of its own. */
  compete: (server: BenchServer, name: "ours" | Baseline) => Promise<Report>
  /** What is told of a round behind its percentiles. */
  describe?: (report: Report) => string
  /** What is to be known to judge the figures, given their medians over the rounds. */
  conditions: (
    middle: (name: "ours" | Baseline, figure: (report: Report) => number) => number,
  ) => Record<string, unknown>
}

/** Holds the contest, in rounds that take turns. Throws where frames of ours did not come. */
export async function holdContest<Baseline extends string, Report extends Latencies>(
  contest: LatencyContest<Baseline, Report>,
  { progress }: BenchOptions,
): Promise<BenchResult> {
  const { baseline, rounds, compete, describe = () => "" } = contest
  const server = await openBenchServer()
  try {
    const reports = await takeTurns<"ours" | Baseline, Report>(
      ["ours", baseline],
      rounds,
      async (name) => {
        const report = await compete(server, name)
        if (name === "ours" && report.missing > 0) throw new Error(`${report.missing} frames did not come`)
        return report
      },
      ({ round: number, name, report }) => {
        const { p50Ms, p95Ms, p99Ms } = report
        const percentiles = `p50 ${p50Ms} ms, p95 ${p95Ms} ms, p99 ${p99Ms} ms`
        progress(`round ${number} of ${rounds}: ${name} ${percentiles}${describe(report)}`)
      },
    )
    return resultOf(contest, reports, server.description)
  } finally {
    await server.stop()
  }
}

function resultOf<Baseline extends string, Report extends Latencies>(
  { bench, unit, baseline, conditions }: LatencyContest<Baseline, Report>,
  reports: ReadonlyMap<"ours" | Baseline, Report[]>,
  database: string,
): BenchResult {
  const figures = (name: "ours" | Baseline, figure: (report: Report) => number) =>
    (reports.get(name) ?? []).map(figure)
  const middle = (name: "ours" | Baseline, figure: (report: Report) => number) =>
    round(median(figures(name, figure)))
  const p95 = ({ p95Ms }: Report) => p95Ms
  return {
    bench,
    unit,
    ours: middle("ours", p95),
    baselines: { [baseline]: middle(baseline, p95) },
    ratios: { [baseline]: round(medianRatio(figures("ours", p95), figures(baseline, p95)), 4) },
    p50Ms: middle("ours", ({ p50Ms }) => p50Ms),
    p95Ms: middle("ours", p95),
    p99Ms: middle("ours", ({ p99Ms }) => p99Ms),
    conditions: {
      ...conditions(middle),
      rounds: Object.fromEntries(reports),
      database,
      node: process.version,
      cores: availableParallelism(),
    },
  }
}

/** Plays a round on a server with its clients in a process of their own; both end with it. */
export async function playWithClients<Report>(
  child: ChildServer,
  clientScript: URL,
  play: (clients: ChildProcess) => Promise<Report>,
  options: ForkOptions = {},
): Promise<Report> {
  const clients = fork(clientScript, options)
  try {
    return await play(clients)
  } finally {
    if (clients.connected) {
      clients.disconnect()
      await once(clients, "exit")
    }
    await child.stop()
  }
}
