import { execFileSync } from "node:child_process"
import { availableParallelism, loadavg } from "node:os"
import { SignalboxError } from "../../src/core/errors.ts"
import { openBenchServer, type BenchServer } from "./bench-database.ts"
import type { BenchOptions, BenchReport } from "./result.ts"
import { median, medianRatio, round } from "./statistics.ts"
import { findCapacity } from "./stream-capacity.ts"
import { withStage, type Competitor, type FlowReport } from "./stream-stage.ts"
import { takeTurns } from "./take-turns.ts"

/** A bench of one transport: ours against a baseline. */
export interface StreamBench {
  bench: string
  ours: Competitor
  baseline: { name: string } & Competitor
}

/** What such a bench takes on the command line. */
export const streamOptions = {
  part: { type: "string", multiple: true },
  events: { type: "string", default: "mixed" },
} as const

const partNames = ["latency", "crowd", "capacity"] as const
const steady = { clients: 1_000, eventsPerSecond: 300, seconds: 5, warmUpSeconds: 2, rounds: 3 }
const crowd = { clients: 10_000, eventsPerSecond: 50, seconds: 6, warmUpSeconds: 2, rounds: 1 }
const capacity = { clients: 1_000, p99LimitMs: 100, rounds: 2 }
const deadlineMs = 15_000

const sizes: Readonly<Record<string, { told: string; bytesOf: (n: number) => number }>> = {
  // All sizes alike, in an order that is no pattern.
  mixed: { told: "1 to 8 KB", bytesOf: (n) => 500 + ((n * 2_654_435_761) % 7_000) },
  small: { told: "1 KB", bytesOf: () => 500 },
}

interface Held extends FlowReport {
  /** Resident memory by which the server grew for each client: what it holds on to after a collection. */
  kibPerClient: number
  /** The same with the room that the heap took in a rush and may give back. */
  kibPerClientStanding: number
  /** The most that was resident while events flowed, less what was before the first client came. */
  mibAboveIdle: number
}

/**
 * Latency from the time an event was due to be logged to its arrival at each client, open loop, every event
 * committed to PostgreSQL first: at a steady rate with 1,000 clients and with 10,000; and the events a
 * second that ours and the baseline bring to 1,000 clients with the same p99, in rounds that take turns.
 */
export async function runStreamBench(
  { bench, ours, baseline }: StreamBench,
  { progress, values }: BenchOptions,
): Promise<BenchReport> {
  const parts = partsOf(values["part"])
  const size = sizes[String(values["events"])]
  if (size === undefined) throw bad(`--events must be one of ${Object.keys(sizes).join(", ")}`)
  checkOpenFiles(bench, parts.has("crowd") ? crowd.clients : steady.clients)
  const load = round(loadavg()[0] ?? 0)
  const body = (n: number) => Buffer.from(JSON.stringify({ n, pad: "x".repeat(size.bytesOf(n)) }))
  const server = await openBenchServer()
  const figures: Record<string, unknown> = {}
  const lines: string[] = []
  const say = (line: string): void => {
    lines.push(`${bench}: ${line}`)
  }
  try {
    if (parts.has("latency")) {
      const rounds = await holdClients(server, ours, body, steady, progress)
      const middle = (figure: (report: Held) => number) => round(median(rounds.map(figure)))
      const [p50Ms, p95Ms, p99Ms] = [middle((r) => r.p50Ms), middle((r) => r.p95Ms), middle((r) => r.p99Ms)]
      const kibPerClient = middle((r) => r.kibPerClient)
      Object.assign(figures, { p50Ms, p95Ms, p99Ms, kibPerClient, latency: { ...steady, each: rounds } })
      say(
        `${steady.eventsPerSecond} events/s to ${steady.clients} clients: p50 ${p50Ms} ms, p95 ${p95Ms} ms, p99 ${p99Ms} ms, ${kibPerClient} KiB a client`,
      )
    }
    if (parts.has("crowd")) {
      const [held] = await holdClients(server, ours, body, crowd, progress)
      Object.assign(figures, { crowd: { ...crowd, ...held } })
      if (held !== undefined) {
        say(
          `${crowd.eventsPerSecond} events/s to ${crowd.clients} clients: p50 ${held.p50Ms} ms, p95 ${held.p95Ms} ms, p99 ${held.p99Ms} ms, ${held.kibPerClient} KiB a client, ${held.mibAboveIdle} MiB above idle at most`,
        )
      }
    }
    if (parts.has("capacity")) {
      const found = await takeTurns(
        ["ours", baseline.name],
        capacity.rounds,
        async (name) => {
          const competitor = name === "ours" ? ours : baseline
          return withStage(server, competitor, body, (stage) =>
            findCapacity(stage, { ...capacity, progress: (line) => progress(`${name}: ${line}`) }),
          )
        },
        ({ round: number, name, report }) =>
          progress(
            `capacity, round ${number} of ${capacity.rounds}: ${name} ${report.eventsPerSecond} events/s`,
          ),
      )
      const ratesOf = (name: string) => (found.get(name) ?? []).map((one) => one.eventsPerSecond)
      const [own, theirs] = [ratesOf("ours"), ratesOf(baseline.name)]
      const ratio = round(medianRatio(own, theirs))
      Object.assign(figures, {
        unit: `events/s to ${capacity.clients} clients at p99 of ${capacity.p99LimitMs} ms at most`,
        ours: round(median(own)),
        baselines: { [baseline.name]: round(median(theirs)) },
        ratios: { [baseline.name]: ratio },
        capacity: Object.fromEntries(found),
      })
      say(
        `${round(median(own))} events/s to ${capacity.clients} clients at p99 <= ${capacity.p99LimitMs} ms, ${baseline.name} ${round(median(theirs))}: ${ratio} times that`,
      )
    }
  } finally {
    await server.stop()
  }
  return {
    bench,
    lines,
    figures,
    conditions: {
      eventBytes: size.told,
      path: "commit in PostgreSQL, NOTIFY, one read, one write a client; both servers read the same log",
      clients: "bare sockets in a process of their own that look for the ends of frames",
      latency: "from the time an event was due, all frames of all clients; what has not come counts as late",
      memory: "resident bytes of the server process with all clients connected less those before",
      sharedMachine: "server, database, clients and event source share these cores",
      database: server.description,
      node: process.version,
      cores: availableParallelism(),
      loadBefore: load,
    },
  }
}

/** Rounds of a steady flow to so many clients of ours, each on a fresh server. */
async function holdClients(
  server: BenchServer,
  competitor: Competitor,
  body: (n: number) => Buffer,
  { clients, eventsPerSecond, seconds, warmUpSeconds, rounds }: typeof steady,
  progress: BenchOptions["progress"],
): Promise<Held[]> {
  const reports: Held[] = []
  for (let number = 1; number <= rounds; number++) {
    const report = await withStage(server, competitor, body, async (stage) => {
      // A few clients come and go first: what they leave is the server's own memory, not the clients'.
      await stage.connect(50)
      await stage.connect(0)
      const before = await stage.memory()
      await stage.connect(clients)
      const after = await stage.memory()
      const grown = (figure: keyof typeof after) =>
        round((after[figure] - before[figure]) / clients / 1024, 1)
      const flow = { clients, eventsPerSecond, deadlineMs }
      await stage.flow({ ...flow, seconds: warmUpSeconds })
      const found = await stage.flow({ ...flow, seconds })
      return {
        ...found,
        kibPerClient: grown("retained"),
        kibPerClientStanding: grown("standing"),
        mibAboveIdle: round(found.peakMiB - before.standing / 2 ** 20, 1),
      }
    })
    reports.push(report)
    if (report.missing > 0) progress(`${report.missing} frames did not come, and count as late`)
    const { p50Ms, p95Ms, p99Ms, cpuMicrosPerFrame: micros, cores } = report
    progress(
      `${eventsPerSecond} events/s to ${clients} clients, round ${number} of ${rounds}: ` +
        `p50 ${p50Ms} ms, p95 ${p95Ms} ms, p99 ${p99Ms} ms; ${report.kibPerClient} KiB a client, at most ${report.mibAboveIdle} MiB above idle; ` +
        `processor time a frame ${micros.server} µs, clients ${micros.clients} µs; ` +
        `cores: server ${cores.server}, clients ${cores.clients}, database ${cores.database}, source ${cores.source}`,
    )
  }
  return reports
}

function partsOf(given: unknown): ReadonlySet<string> {
  const asked: readonly unknown[] = Array.isArray(given) ? given : partNames
  const parts = new Set(asked.map(String))
  for (const part of parts) {
    if (!partNames.some((name) => name === part)) throw bad(`--part must be of ${partNames.join(", ")}`)
  }
  return parts
}

function bad(message: string): SignalboxError {
  return new SignalboxError("bad_request", message)
}

/** Server and clients each need a file a client; without them the bench would measure refusals. */
function checkOpenFiles(bench: string, clients: number): void {
  const limit = execFileSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" }).trim()
  const needed = clients + 100
  if (limit === "unlimited" || Number(limit) >= needed) return
  throw bad(
    `bench ${bench} needs ${needed} open files in a process and the limit is ${limit}: ulimit -n ${needed}, or leave out --part crowd`,
  )
}
