import { availableParallelism, loadavg } from "node:os"
import { SignalboxError } from "../src/core/errors.ts"
import { openBenchServer, type BenchServer } from "./support/bench-database.ts"
import {
  competitorNames,
  competitors,
  openContest,
  type Competitor,
  type Contest,
  type IngestReport,
} from "./support/ingest-contest.ts"
import { describeProfile, profileNames, type ProfileName } from "./support/payload-profiles.ts"
import type { BenchOptions, BenchResult } from "./support/result.ts"
import { median, medianRatio, percentile, round } from "./support/statistics.ts"
import { takeTurns } from "./support/take-turns.ts"

export const options = {
  profile: { type: "string", default: "octokit" },
  connections: { type: "string", default: "64" },
  full: { type: "boolean", default: false },
} as const

const connectionCounts = [16, 64, 256]

/** How long things take, in milliseconds. */
interface Pace {
  rounds: number
  /** Before the first round: the compiler, the connections and the plans of each server settle. */
  warmUpMs: number
  /** Within a round, not counted: a server that has waited its turn has lost its compiled code and its caches. */
  leadMs: number
  /** Short, so that the servers of a round meet the same neighbours on the machine. */
  roundMs: number
}

const usualPace: Pace = { rounds: 7, warmUpMs: 3_000, leadMs: 1_000, roundMs: 2_000 }
const fullPace: Pace = { rounds: 3, warmUpMs: 1_500, leadMs: 200, roundMs: 1_000 }
/** At 5 MB and 256 connections a single turn takes 1.3 GB of bodies, however short it is meant to be. */
const largestRounds = { usual: 3, full: 1 }

type Reports = ReadonlyMap<Competitor, readonly IngestReport[]>

/** One profile at one number of connections. */
interface Cell {
  profile: ProfileName
  connections: number
  reports: Reports
  residentMiB: number
}

/**
 * Acknowledged webhooks a second, durable, each signed and under a fresh GUID, in a closed loop. Ours
 * against the textbook server, one insert a request, and the raw PostgreSQL limit, each on the same
 * payloads and the same PostgreSQL, in a process and a database of its own, in rounds that take turns.
 */
export async function run({ progress, values }: BenchOptions): Promise<BenchResult> {
  const isFull = values["full"] === true
  const profiles = isFull ? profileNames : [choice("profile", profileNames, values["profile"])]
  const counts = isFull
    ? connectionCounts
    : [Number(choice("connections", connectionCounts.map(String), values["connections"]))]
  const pace = isFull ? fullPace : usualPace
  const paceOf = (profile: ProfileName): Pace =>
    profile === "5m" ? { ...pace, rounds: largestRounds[isFull ? "full" : "usual"] } : pace
  const loadBefore = loadavg()
  const server = await openBenchServer()
  try {
    const cells: Cell[] = []
    for (const profile of profiles)
      cells.push(...(await play(server, profile, counts, paceOf(profile), progress)))
    return resultOf(cells, paceOf(profiles[0] ?? "octokit"), { database: server.description, loadBefore })
  } finally {
    await server.stop()
  }
}

function choice<Value extends string>(name: string, allowed: readonly Value[], given: unknown): Value {
  const found = allowed.find((value) => value === given)
  if (found === undefined)
    throw new SignalboxError("bad_request", `--${name} must be one of ${allowed.join(", ")}`)
  return found
}

/** One profile at each number of connections, by the same processes. */
async function play(
  server: BenchServer,
  profile: ProfileName,
  counts: readonly number[],
  pace: Pace,
  progress: (line: string) => void,
): Promise<Cell[]> {
  const contest = await openContest(server, profile, progress)
  try {
    progress(`${profile}: warming up`)
    const warmUp = { connections: counts[0] ?? 0, leadMs: 0, durationMs: pace.warmUpMs }
    for (const name of competitorNames) await contest.drive(name, warmUp)
    const cells: Cell[] = []
    for (const connections of counts) {
      progress(`${profile}, ${connections} connections`)
      const reports = await playRounds(server, contest, connections, pace, progress)
      cells.push({ profile, connections, reports, residentMiB: contest.residentMiB() })
    }
    await contest.checkStored()
    return cells
  } finally {
    await contest.stop()
    await server.dropDatabases()
  }
}

function playRounds(
  server: BenchServer,
  contest: Contest,
  connections: number,
  { rounds, leadMs, roundMs }: Pace,
  progress: (line: string) => void,
): Promise<Reports> {
  return takeTurns(
    competitorNames,
    rounds,
    async (name) => {
      await server.settle()
      return contest.drive(name, { connections, leadMs, durationMs: roundMs })
    },
    ({ round: number, name, report }) =>
      progress(`round ${number} of ${rounds}: ${name} ${Math.round(report.perSecond)}/s`),
  )
}

/** The figures of a cell, each the median over its rounds. */
function figuresOf({ reports, residentMiB }: Cell) {
  const of = (name: Competitor, figure: "perSecond" | "serverMicros" | "databaseMicros" | "turnedAway") =>
    (reports.get(name) ?? []).map((report) => report[figure])
  const rates = (name: Competitor) => of(name, "perSecond")
  const others = competitorNames.filter((name) => name !== "ours")
  const ratioTo = (name: Competitor) => round(medianRatio(rates("ours"), rates(name)))
  const latencies = (reports.get("ours") ?? []).flatMap(({ latenciesMs }) => latenciesMs)
  const latency = (fraction: number) =>
    latencies.length === 0 ? Number.NaN : round(percentile(latencies, fraction))
  const cpuOf = (name: Competitor) => [
    name,
    {
      server: Math.round(median(of(name, "serverMicros"))),
      database: Math.round(median(of(name, "databaseMicros"))),
    },
  ]
  return {
    ours: Math.round(median(rates("ours"))),
    baselines: Object.fromEntries(others.map((name) => [name, Math.round(median(rates(name)))])),
    ratios: Object.fromEntries(others.map((name) => [name, ratioTo(name)])),
    rawRatio: ratioTo("rawRows"),
    p50Ms: latency(0.5),
    p95Ms: latency(0.95),
    p99Ms: latency(0.99),
    residentMiB,
    turnedAway: of("ours", "turnedAway").reduce((sum, count) => sum + count, 0),
    cpuMicrosPerEvent: Object.fromEntries(competitorNames.map(cpuOf)),
    rounds: Object.fromEntries(competitorNames.map((name) => [name, rates(name).map(Math.round)])),
  }
}

function resultOf(
  cells: readonly Cell[],
  { rounds, warmUpMs, roundMs }: Pace,
  machine: { database: string; loadBefore: readonly number[] },
): BenchResult {
  const all = cells.map((cell) => ({
    profile: cell.profile,
    connections: cell.connections,
    ...figuresOf(cell),
  }))
  const main = all.find((cell) => cell.profile === "octokit" && cell.connections === 64) ?? all[0]
  if (main === undefined) throw new Error("nothing was measured")
  const { profile, connections, ours, baselines, ratios, rawRatio, p50Ms, p95Ms, p99Ms, ...more } = main
  return {
    bench: "ingest",
    unit: "webhooks/s",
    ours,
    baselines,
    ratios,
    rawRatio,
    p50Ms,
    p95Ms,
    p99Ms,
    conditions: {
      profile,
      payloads: `${describeProfile(profile)}, signed, fresh delivery GUIDs`,
      load: `closed loop, ${connections} keep-alive connections, ${rounds} rounds of ${roundMs} ms after ${warmUpMs} ms of warm-up`,
      ...more,
      durability: "synchronous_commit=on; every acknowledged event was counted in the database afterwards",
      jobs: Object.fromEntries(competitorNames.map((name) => [name, competitors[name].job])),
      raw: "our event rows by multi-row INSERT, batches and connections as ours; rawTransaction with keys and jobs",
      workers: "none: ingest alone",
      database: machine.database,
      loadAverage: {
        before: machine.loadBefore.map((one) => round(one)),
        after: loadavg().map((one) => round(one)),
      },
      node: process.version,
      cores: availableParallelism(),
      sharedMachine: "server, database and load generator share these cores",
    },
    ...(all.length > 1 ? { cells: all, table: all.map(tableRow) } : {}),
  }
}

function tableRow(cell: ReturnType<typeof figuresOf> & Pick<Cell, "profile" | "connections">) {
  const { profile, connections, ours, ratios, p50Ms, p99Ms, residentMiB, turnedAway } = cell
  return { profile, connections, "ours/s": ours, ...ratios, p50Ms, p99Ms, residentMiB, turnedAway }
}
